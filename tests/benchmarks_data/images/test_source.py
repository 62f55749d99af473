"""Imports through the data directory, as users make them."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images.stored_images import StoredImages
from nasbench_toolkit.core.data.data_home import data_home, import_data, verify_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.plugins.datasets.data_sources import DATA_SOURCES

SOURCES = {info.name: info for info in DATA_SOURCES}


def ignore(done, total):
    pass


@pytest.fixture
def cifar10(tmp_path, pixels, binary_records):
    (tmp_path / "data_batch_1.bin").write_bytes(binary_records(pixels(6), [0, 1, 2, 3, 9, 9]))
    (tmp_path / "test_batch.bin").write_bytes(binary_records(pixels(2, seed=1), [4, 5]))
    return tmp_path


def test_import_stores_what_is_verified(cifar10):
    manifest = import_data(SOURCES["cifar10"].create(), cifar10, ignore)
    assert (manifest.items, manifest.unit) == (8, "images")
    assert any("data_batch_2.bin" in note for note in manifest.notes)
    assert verify_data(SOURCES["cifar10"].create(), lambda done, total: None).items == 8
    stored = StoredImages.open(data_home() / "cifar10")
    assert stored.labels.tolist() == [0, 1, 2, 3, 9, 9]


def test_import_without_test_images(cifar10):
    (cifar10 / "test_batch.bin").unlink()
    assert import_data(SOURCES["cifar10"].create(), cifar10, ignore).items == 6
    assert verify_data(SOURCES["cifar10"].create(), lambda done, total: None).items == 6


def test_refused_import_leaves_the_data_directory_as_it_was(cifar10):
    source = SOURCES["cifar10"].create()
    import_data(source, cifar10, ignore)
    before = {path: path.read_bytes() for path in data_home().rglob("*") if path.is_file()}
    # The first file is fine, so that half of an import is there when the second is refused.
    (cifar10 / "test_batch.bin").write_bytes(b"\0")
    with pytest.raises(DataError, match="test_batch.bin"):
        import_data(source, cifar10, ignore)
    assert {path: path.read_bytes() for path in data_home().rglob("*") if path.is_file()} == before


def test_verify_finds_damage(cifar10):
    import_data(SOURCES["cifar10"].create(), cifar10, ignore)
    np.save(data_home() / "cifar10/train_labels.npy", np.zeros(5, np.int64))
    with pytest.raises(DataError, match="train_labels.npy"):
        verify_data(SOURCES["cifar10"].create(), lambda done, total: None)
    with pytest.raises(DataError, match="train_labels.npy"):
        SOURCES["cifar10"].create().verify(data_home() / "cifar10", lambda done, total: None)


@pytest.mark.parametrize("version", ["python", "binary"])
def test_mutated_files_are_read_or_refused(tmp_path, pixels, python2_pickle, binary_records, version):
    small = pixels(2)
    contents = python2_pickle(small, [1, 2]) if version == "python" else binary_records(small, [1, 2])
    path = tmp_path / ("data_batch_1" if version == "python" else "data_batch_1.bin")
    rng = random.Random(0)
    refused = 0
    for number in range(300):
        mutated = bytearray(contents)
        # Mostly where a pickle's structure is, not in its pixels.
        for _ in range(rng.randint(1, 3)):
            mutated[rng.randrange(200 if rng.random() < 0.8 else len(mutated))] = rng.randrange(256)
        path.write_bytes(mutated[: rng.randrange(len(mutated))] if rng.random() < 0.2 else mutated)
        folder = tmp_path / f"stored-{number}"
        folder.mkdir()
        try:
            summary = SOURCES["cifar10"].create().import_from(path, folder, ignore)
        except DataError:
            refused += 1
            continue
        assert SOURCES["cifar10"].create().verify(folder, lambda done, total: None).items == summary.items
    assert refused > 50


PEAK_MEMORY = r"""
import re, sys
from pathlib import Path
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.plugins.datasets.data_sources import DATA_SOURCES
source = next(info for info in DATA_SOURCES if info.name == "cifar10").create()
print(import_data(source, Path(sys.argv[1]), lambda done, total: None).items)
print(int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


# The kernel's own figure: what getrusage says also counts the process that started this one.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads peak memory from /proc/self/status")
def test_import_of_whole_cifar10_stays_small(tmp_path, python2_pickle):
    # Six files of the official size; only their memory matters.
    batch = python2_pickle(np.zeros((10_000, 3072), np.uint8), [7] * 10_000)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (tmp_path / name).write_bytes(batch)
    command = [sys.executable, "-c", PEAK_MEMORY, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    items, megabytes = map(int, result.stdout.split())
    assert items == 60_000
    assert megabytes < 400
