import json

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images.stored_images import (
    ImageBatch,
    NpyAppender,
    StoredImages,
    read_counts,
    write_images,
)
from nasbench_toolkit.core.errors import DataError


def batch(count, split="train", seed=0):
    rng = np.random.default_rng(seed)
    return ImageBatch(split, rng.integers(0, 256, (count, 3, 4, 4), np.uint8), rng.integers(0, 5, count))


@pytest.fixture
def folder(tmp_path):
    write_images(tmp_path, [batch(3), batch(2, seed=1), batch(4, "test")], side=4, num_classes=5)
    return tmp_path


def test_images_come_back_in_order(folder):
    stored = StoredImages.open(folder)
    assert np.array_equal(stored.images, np.concatenate([batch(3).images, batch(2, seed=1).images]))
    assert np.array_equal(stored.labels, np.concatenate([batch(3).labels, batch(2, seed=1).labels]))
    assert np.array_equal(StoredImages.open(folder, "test").images, batch(4, "test").images)
    assert read_counts(folder) == {"train": 5, "test": 4}


def test_images_are_memory_mapped(folder):
    assert isinstance(StoredImages.open(folder).images, np.memmap)


def test_files_are_what_numpy_writes(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("numpy") / "images.npy"
    np.save(path, np.concatenate([batch(3).images, batch(2, seed=1).images]))
    assert path.read_bytes() == (folder / "train_images.npy").read_bytes()


def test_appender_refuses_other_items(tmp_path):
    with NpyAppender(tmp_path / "a.npy", (2,), np.int64) as appender, pytest.raises(ValueError, match="expected int64"):
        appender.append(np.zeros((1, 3), np.int64))


def other_labels(folder):
    np.save(folder / "train_labels.npy", np.full(5, 5))


def other_count(folder):
    fields = json.loads((folder / "images.json").read_text())
    (folder / "images.json").write_text(json.dumps(fields | {"counts": {"train": 6}}))


def objects(folder):
    np.save(folder / "train_images.npy", np.array([{}], object), allow_pickle=True)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda folder: (folder / "images.json").unlink(), "No such file", id="no-description"),
        pytest.param(lambda folder: (folder / "images.json").write_text("[1]"), "damaged", id="list"),
        pytest.param(lambda folder: (folder / "images.json").write_text("[" * 9000), "damaged", id="deep"),
        pytest.param(lambda folder: (folder / "images.json").write_text("{}"), "format_version", id="no-version"),
        pytest.param(lambda folder: (folder / "train_images.npy").write_bytes(b""), "damaged", id="no-array"),
        pytest.param(other_count, "train_images.npy is not what it should be", id="other-count"),
        pytest.param(other_labels, "train_labels.npy is not what it should be", id="label-too-high"),
        pytest.param(objects, "damaged", id="objects"),
    ],
)
def test_damage_is_refused(folder, damage, message):
    damage(folder)
    with pytest.raises(DataError, match=message) as caught:
        StoredImages.open(folder)
    assert "Import" in str(caught.value)


def test_counts_of_a_damaged_description(folder):
    (folder / "images.json").write_text("{")
    with pytest.raises(DataError, match="are damaged"):
        read_counts(folder)
