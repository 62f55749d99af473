import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images.official_files import open_official_files
from nasbench_toolkit.benchmarks_data.images.official_layouts import CIFAR10, CIFAR100, IMAGENET16_120
from nasbench_toolkit.core.errors import DataError

CIFAR = Path(__file__).parents[3] / "../shared/data/cifar10"


def read(layout, path, split=None):
    with open_official_files(layout, path) as files:
        return list(files.read(split=split)), files.notes


def read_one(layout, path):
    batches, _ = read(layout, path)
    assert len(batches) == 1
    return batches[0]


@pytest.fixture
def folder(tmp_path, pixels, python2_pickle):
    """The first and third training batches and the test batch of CIFAR-10's python version."""
    for seed, name in enumerate(("data_batch_1", "data_batch_3", "test_batch")):
        labels = [seed, 9 - seed, 5]
        (tmp_path / name).write_bytes(python2_pickle(pixels(3, seed=seed), labels))
    return tmp_path


def test_python_version_layout(folder, pixels):
    batches, _ = read(CIFAR10, folder)
    assert [batch.split for batch in batches] == ["train", "train", "test"]
    assert [batch.labels.tolist() for batch in batches] == [[0, 9, 5], [1, 8, 5], [2, 7, 5]]
    assert batches[1].images.shape == (3, 3, 32, 32)
    assert batches[1].images.dtype == np.uint8
    # Channel by channel, row by row.
    assert batches[1].images[2, 1, 5, 9] == pixels(3, seed=1)[2, 1024 + 5 * 32 + 9]


def test_python_version_of_python_3(tmp_path, pixels):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({"data": pixels(2), "labels": [3, 4]}, protocol=4))
    batch = read_one(CIFAR10, tmp_path)
    assert np.array_equal(batch.images.reshape(2, -1), pixels(2))
    assert batch.labels.tolist() == [3, 4]


def test_binary_version_has_the_same_images(tmp_path, pixels, binary_records):
    (tmp_path / "data_batch_1.bin").write_bytes(binary_records(pixels(4), [0, 9, 3, 3]))
    batch = read_one(CIFAR10, tmp_path)
    assert np.array_equal(batch.images.reshape(4, -1), pixels(4))
    assert batch.labels.tolist() == [0, 9, 3, 3]


def test_cifar100_has_fine_labels_in_both_versions(tmp_path, pixels, binary_records, python2_pickle):
    (tmp_path / "py").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "py" / "train").write_bytes(python2_pickle(pixels(2), [99, 20], b"fine_labels"))
    (tmp_path / "bin" / "train.bin").write_bytes(binary_records(pixels(2), [1, 19], [99, 20]))
    for folder in (tmp_path / "py", tmp_path / "bin"):
        batch = read_one(CIFAR100, folder)
        assert batch.labels.tolist() == [99, 20]
        assert np.array_equal(batch.images.reshape(2, -1), pixels(2))


def test_imagenet16_keeps_the_first_120_classes(tmp_path, pixels):
    fields = {"data": pixels(5, 768), "labels": [1, 121, 120, 1000, 2], "mean": np.zeros(768)}
    (tmp_path / "train_data_batch_10").write_bytes(pickle.dumps(fields, protocol=2))
    batch = read_one(IMAGENET16_120, tmp_path)
    assert batch.labels.tolist() == [0, 119, 1]
    assert batch.images.shape == (3, 3, 16, 16)
    assert np.array_equal(batch.images.reshape(3, -1), pixels(5, 768)[[0, 2, 4]])


def test_training_batches_come_in_their_official_order(tmp_path, pixels):
    for number in (10, 2, 1):
        fields = {"data": pixels(1, 768), "labels": [number]}
        (tmp_path / f"train_data_batch_{number}").write_bytes(pickle.dumps(fields))
    batches, _ = read(IMAGENET16_120, tmp_path)
    assert [batch.labels.tolist() for batch in batches] == [[0], [1], [9]]


def test_only_one_split(folder):
    batches, _ = read(CIFAR10, folder, split="train")
    assert len(batches) == 2


@pytest.mark.parametrize("kind", ["tar.gz", "tar", "zip", "one-level-below", "one-file"])
def test_where_files_may_be(folder, tmp_path_factory, kind):
    place = tmp_path_factory.mktemp("place")
    path = place / f"cifar-10-python.{kind}"
    if kind == "one-file":
        path = folder / "data_batch_1"
    elif kind == "one-level-below":
        folder.rename(place / "cifar-10-batches-py")
        path = place
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in folder.iterdir():
                archive.write(file, f"cifar-10-batches-py/{file.name}")
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            archive.add(folder, "cifar-10-batches-py")
    batches, _ = read(CIFAR10, path)
    assert batches[0].labels.tolist() == [0, 9, 5]
    assert len(batches) == (1 if kind == "one-file" else 3)


def test_notes_name_missing_files(folder):
    _, notes = read(CIFAR10, folder)
    assert "Not there, and left out: data_batch_2, data_batch_4, data_batch_5." in notes


def test_notes_name_files_that_are_not_the_official_ones(folder):
    _, notes = read(CIFAR10, folder)
    assert any(note.startswith("data_batch_1 is not the official file") for note in notes)


def test_progress_ends_with_everything(folder):
    calls = []
    with open_official_files(CIFAR10, folder) as files:
        list(files.read(lambda done, total: calls.append((done, total))))
    total = sum(file.stat().st_size for file in folder.iterdir())
    assert len(calls) == 3
    assert calls[-1] == (total, total)


def test_no_training_images(tmp_path):
    (tmp_path / "test_batch").write_bytes(b"")
    with pytest.raises(DataError, match=r"has no training images of CIFAR-10. Expected .*data_batch_1.*cifar.html"):
        read(CIFAR10, tmp_path)


def test_other_kind_of_file(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing")
    with pytest.raises(DataError, match=r"notes.txt' has no training images of ImageNet16"):
        read(IMAGENET16_120, path)


def test_the_same_file_twice(folder):
    (folder / "copy").mkdir()
    (folder / "copy" / "data_batch_1").write_bytes(b"")
    with pytest.raises(DataError, match="has two files named data_batch_1"):
        read(CIFAR10, folder)


class Harmful:
    """Unpickling this would run a command."""

    def __reduce__(self):
        return print, ("code ran",)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"labels": [1]}, "it has no 'data'", id="no-images"),
        pytest.param({"data": np.zeros((1, 3072), np.uint8)}, "it has no 'labels'", id="no-labels"),
        pytest.param({"data": np.zeros((1, 3072), np.float32), "labels": [1]}, "its images are float32", id="floats"),
        pytest.param({"data": np.zeros((1, 768), np.uint8), "labels": [1]}, r"shape \(1, 768\)", id="other-size"),
        pytest.param({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, "for each of 2", id="too-few-labels"),
        pytest.param({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}, "has the label 10", id="label-10"),
        pytest.param({"data": np.zeros((1, 3072), np.uint8), "labels": [-1]}, "has the label -1", id="label-minus-1"),
        pytest.param({"data": np.zeros((1, 3072), np.uint8), "labels": [0.5]}, "its labels are float64", id="half"),
        pytest.param({"data": np.zeros((1, 3072), np.uint8), "labels": [[1], 2]}, "is not a file of", id="ragged"),
        pytest.param({"data": np.zeros((0, 3072), np.uint8), "labels": np.zeros(0, int)}, "no images", id="empty"),
        pytest.param({"data": "images", "labels": [1]}, "its images are str", id="text"),
        pytest.param([1], "it holds a list", id="list"),
    ],
)
def test_python_version_refusals(tmp_path, fields, message):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(fields))
    with pytest.raises(DataError, match=message) as caught:
        read(CIFAR10, tmp_path)
    assert "data_batch_1" in str(caught.value)
    assert "https://www.cs.toronto.edu/~kriz/cifar.html" in str(caught.value)


def test_python_version_runs_no_code(tmp_path, capsys):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({"data": Harmful(), "labels": [0]}))
    with pytest.raises(DataError, match=r"data_batch_1.*builtins\.print"):
        read(CIFAR10, tmp_path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("length", [0, 1, 30, 1000, -1])
def test_python_version_cut_off(folder, length):
    contents = (folder / "data_batch_1").read_bytes()
    (folder / "data_batch_1").write_bytes(contents[:length])
    with pytest.raises(DataError, match="data_batch_1"):
        read(CIFAR10, folder)


def test_binary_version_cut_off(tmp_path, pixels, binary_records):
    (tmp_path / "data_batch_1.bin").write_bytes(binary_records(pixels(2), [0, 1])[:-1])
    with pytest.raises(DataError, match="it has 6,145 bytes, expected a multiple of 3,073"):
        read(CIFAR10, tmp_path)


def test_binary_version_of_the_other_set(tmp_path, pixels, binary_records):
    (tmp_path / "train.bin").write_bytes(binary_records(pixels(2), [1, 2], [100, 3]))
    with pytest.raises(DataError, match="image 1 has the label 100, expected 0 to 99"):
        read(CIFAR100, tmp_path)


def test_archive_with_a_path_that_climbs_out(tmp_path):
    path = tmp_path / "cifar-10-python.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("../data_batch_1"), io.BytesIO())
    with pytest.raises(DataError, match="leads out of the archive"):
        read(CIFAR10, path)


def test_file_too_large_to_be_official(tmp_path):
    with (tmp_path / "data_batch_1").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DataError, match="no official file has more than"):
        read(CIFAR10, tmp_path)


@pytest.mark.skipif(not CIFAR.is_dir(), reason="reads CIFAR-10's first batches in ../shared/data")
def test_real_cifar10():
    batches, notes = read(CIFAR10, CIFAR)
    assert [len(batch.images) for batch in batches] == [10000, 10000]
    assert batches[0].labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert np.bincount(batches[1].labels).tolist() == [1000] * 10
    # Byte for byte the official files, so nothing but the missing ones is noted.
    assert notes == ["Not there, and left out: data_batch_2, data_batch_3, data_batch_4, data_batch_5."]
