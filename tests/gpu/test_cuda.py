"""What only a CUDA device can show; run with 'pytest -m gpu' on a machine that has one."""

import json

import pytest
import torch
from nasbench_toolkit.plugins.evaluators.gennas.evaluator import Gennas
from nasbench_toolkit.plugins.evaluators.gennas.settings import ComboSettings, SearchNSettings
from nasbench_toolkit.plugins.evaluators.gennas.training import RegressionTraining
from nasbench_toolkit.testing import make_context

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SPACE = "nasbench201-tiny"
EVALUATORS = ("-e", "gennas-combo:iterations=20", "-e", "synflow", "-e", "naswot", "-e", "grad_norm")


def gennas(settings, device: str):
    context = make_context(SPACE, evaluator="gennas-combo", settings=settings, device=device)
    return Gennas(settings).evaluate(context)


def scores(nasbench, file, *options):
    done = nasbench("run", "--space", SPACE, *EVALUATORS, "-n", 6, "-o", file, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(nasbench("inspect", file, "--scores", "-f", "json").stdout)


@pytest.mark.parametrize("settings", [ComboSettings(iterations=20), SearchNSettings(iterations=20)])
def test_gennas_on_cuda_is_that_on_the_cpu_up_to_rounding(settings) -> None:
    first, again, on_cpu = gennas(settings, "cuda"), gennas(settings, "cuda"), gennas(settings, "cpu")
    assert first == again
    assert first.curves["train_loss"][:5] == pytest.approx(on_cpu.curves["train_loss"][:5], rel=1e-3)
    assert first.score == pytest.approx(on_cpu.score, rel=0.05)


def test_a_recorded_training_has_the_losses_of_one_kernel_by_kernel(monkeypatch) -> None:
    settings = ComboSettings(iterations=20)
    recorded = gennas(settings, "cuda")
    monkeypatch.setattr(RegressionTraining, "graphed_step", lambda training, recorder: training.train_step)
    assert gennas(settings, "cuda") == recorded


def test_scores_do_not_depend_on_how_many_workers_share_the_device(nasbench) -> None:
    alone = scores(nasbench, "alone.h5", "--device", "cuda:0")
    shared = scores(nasbench, "shared.h5", "--device", "cuda:0", "-j", "3")
    assert shared == alone


def test_scores_on_cuda_rank_as_on_the_cpu(nasbench) -> None:
    on_cuda = scores(nasbench, "cuda.h5", "--device", "cuda:0")
    on_cpu = scores(nasbench, "cpu.h5")
    for there, here in zip(on_cuda, on_cpu, strict=True):
        synflow = "synflow (higher is better)"
        assert there[synflow] == pytest.approx(here[synflow], rel=1e-4)


def test_a_broken_device_costs_one_job(nasbench, tmp_path) -> None:
    (tmp_path / "archs.txt").write_text("width-7\nwidth-8\nwidth-9\n")
    run = ("run", "--space", "toy", "-e", "toy-cuda-fault", "--architectures", "archs.txt", "-o", "r.h5")
    done = nasbench(*run, "--device", "cuda:0")
    rows = json.loads(nasbench("inspect", "r.h5", "--scores", "-f", "json").stdout)
    assert [row["toy-cuda-fault (higher is better)"] for row in rows] == [7.0, None, 9.0], done.stderr
    (failure,) = json.loads(nasbench("inspect", "r.h5", "--failures", "-f", "json").stdout)
    assert "CUDA error" in failure["message"]


def test_jobs_say_what_memory_they_took(nasbench) -> None:
    scores(nasbench, "r.h5", "--device", "cuda:0")
    report = json.loads(nasbench("report", "r.h5", "-f", "json").stdout)
    peaks = {row["label"]: row["median_peak_memory"] for row in report["evaluators"]}
    assert peaks["gennas-combo:iterations=20"] > 1e6
