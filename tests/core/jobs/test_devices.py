import pytest
from nasbench_toolkit.core.errors import DeviceError
from nasbench_toolkit.core.jobs import devices
from nasbench_toolkit.core.jobs.devices import remote_devices, usable_cores, worker_devices


@pytest.fixture
def two_gpus(monkeypatch) -> None:
    monkeypatch.setattr(devices, "_cuda_devices", lambda: ("cuda:0", "cuda:1"))


@pytest.fixture
def no_gpu(monkeypatch) -> None:
    monkeypatch.setattr(devices, "_cuda_devices", lambda: ())


def test_worker_devices_cpu_has_one_worker_a_core_or_as_many_as_asked_for() -> None:
    assert worker_devices("cpu", None) == ("cpu",) * usable_cores()
    assert worker_devices("cpu", 3) == ("cpu",) * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", ("cuda:0", "cuda:1")),
        ("cuda", ("cuda:0",)),
        ("cuda:1", ("cuda:1",)),
        ("cuda:0,cuda:1", ("cuda:0", "cuda:1")),
    ],
)
def test_worker_devices_one_worker_a_gpu(two_gpus, text: str, expected: tuple[str, ...]) -> None:
    assert worker_devices(text, None) == expected
    assert worker_devices(text, len(expected)) == expected


def test_worker_devices_more_workers_share_the_gpus(two_gpus) -> None:
    assert worker_devices("cuda:1", 3) == ("cuda:1",) * 3
    assert worker_devices("auto", 5) == ("cuda:0", "cuda:1", "cuda:0", "cuda:1", "cuda:0")


def test_worker_devices_auto_without_gpu_is_the_cpu(no_gpu) -> None:
    assert worker_devices("auto", 2) == ("cpu", "cpu")


@pytest.mark.parametrize(
    ("text", "workers", "message"),
    [
        ("tpu", None, "Unknown device 'tpu'. Use cpu, cuda, cuda:0"),
        ("", None, "Unknown device ''"),
        ("cuda:2", None, "There is no device cuda:2. This machine has cuda:0, cuda:1"),
        ("cuda:0,cuda", None, "named twice"),
        ("cpu,cuda:0", None, "mixes cpu and CUDA"),
        ("auto", 1, "--workers 1 leaves some of the 2 CUDA devices without a process"),
        ("cpu", 0, "--workers must be at least 1"),
    ],
)
def test_worker_devices_refuses(two_gpus, text: str, workers: int | None, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        worker_devices(text, workers)


def test_devices_of_other_machines_need_not_be_here(no_gpu) -> None:
    assert remote_devices("cuda", 2) == ("cuda", "cuda")
    assert remote_devices("cpu", None) == ("cpu",) * usable_cores()
    for text in ("auto", "cuda:1", "cuda:0,cuda:1"):
        with pytest.raises(DeviceError, match=f"use --device cpu or cuda, not '{text}'"):
            remote_devices(text, 2)
    with pytest.raises(DeviceError, match="--workers must be at least 1, got 0"):
        remote_devices("cpu", 0)


def test_worker_devices_names_the_way_out_without_a_gpu(no_gpu) -> None:
    with pytest.raises(DeviceError, match="none that torch can use; try --device cpu"):
        worker_devices("cuda", None)
