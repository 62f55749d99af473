import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images import user_images
from nasbench_toolkit.benchmarks_data.images.user_images import describe_images
from nasbench_toolkit.core.batches import draw_batch
from nasbench_toolkit.core.descriptions import NAME_PATTERN
from nasbench_toolkit.core.errors import DataError
from PIL import Image


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Five images of 40x40 pixels in two classes."""
    folder = tmp_path / "My Pets (2026)"
    for number, name in enumerate(("cats/a", "cats/b", "dogs/a", "dogs/b", "dogs/c")):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(noise(40, 40, 3, seed=number)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "digits.npz"
    np.savez(path, images=noise(6, 12, 10, 1), labels=np.array([0, 1, 2, 2, 5, 0]))
    return path


def write_cifar(folder, labels, count=6, label_bytes=1, name="data_batch_1.bin"):
    folder.mkdir(exist_ok=True)
    records = np.concatenate([np.tile(np.array(labels, np.uint8), (count, label_bytes)), noise(count, 3072)], axis=1)
    (folder / name).write_bytes(records.tobytes())
    return folder


def test_describe_folder(folder):
    info = describe_images(folder)
    assert info.name.startswith("images-my-pets-2026-")
    assert info.input_shape == (3, 32, 32)
    assert info.num_classes == 2
    assert info.summary == "5 images of 2 classes, resized to 32x32."
    assert info.create().labels().tolist() == [0, 0, 1, 1, 1]


def test_describe_folder_counts_other_files(folder):
    (folder / "cats/notes.txt").write_text("")
    assert "1 other files left out" in describe_images(folder).summary


def test_describe_folder_with_a_size(folder):
    info = describe_images(folder, 40)
    assert info.input_shape == (3, 40, 40)
    image = info.create().inputs(np.array([3]))[0]
    assert np.array_equal(image, noise(40, 40, 3, seed=3).transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def test_describe_arrays(archive):
    info = describe_images(archive)
    assert info.name.startswith("images-digits-")
    assert info.input_shape == (1, 12, 10)
    assert info.num_classes == 6
    assert info.summary == "6 images at 12x10 pixels."


@pytest.mark.parametrize(
    ("name", "label_bytes", "classes"), [("data_batch_1.bin", 1, 10), ("train.bin", 2, 100)], ids=["10", "100"]
)
def test_describe_official_folder(tmp_path, name, label_bytes, classes):
    info = describe_images(write_cifar(tmp_path / "cifar", [3], label_bytes=label_bytes, name=name))
    assert info.num_classes == classes
    assert info.input_shape == (3, 32, 32)
    assert f"6 training images of CIFAR-{classes}." in info.summary
    assert info.create().labels().tolist() == [3] * 6


def test_describe_official_folder_one_level_below(tmp_path):
    write_cifar(tmp_path / "cifar-10-batches-bin", [3])
    info = describe_images(tmp_path)
    assert info.num_classes == 10
    assert info.create().labels().tolist() == [3] * 6


def test_statistics_are_those_of_the_images(archive):
    info = describe_images(archive)
    images = noise(6, 12, 10, 1) / 255
    np.testing.assert_allclose(info.mean, [images.mean()], rtol=1e-6)
    np.testing.assert_allclose(info.std, [images.std()], rtol=1e-6)


def test_statistics_of_many_images_are_of_evenly_spread_ones(archive, monkeypatch):
    monkeypatch.setattr(user_images, "STATISTICS_IMAGES", 3)
    np.testing.assert_allclose(describe_images(archive).mean, [noise(6, 12, 10, 1)[[0, 2, 5]].mean() / 255], rtol=1e-6)


def test_progress_counts_the_images_that_are_read(folder):
    told = []
    describe_images(folder, progress=lambda *counts: told.append(counts))
    assert told == [(5, 5)]


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_information_travels_to_other_processes(request, kind):
    info = describe_images(request.getfixturevalue(kind))
    copy = pickle.loads(pickle.dumps(info))
    assert copy.name == info.name
    expected = draw_batch(info, info.create(), 4, 0, None, True)
    assert draw_batch(copy, copy.create(), 4, 0, None, True).inputs.equal(expected.inputs)


def test_name_is_the_same_in_another_process(folder):
    program = (
        "import sys; from pathlib import Path; from nasbench_toolkit.benchmarks_data.images.user_images import "
        "describe_images; print(describe_images(Path(sys.argv[1])).name)"
    )
    command = [sys.executable, "-c", program, folder.name]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder.parent)
    assert result.stdout.strip() == describe_images(folder).name


def test_name_does_not_depend_on_where_a_folder_is(folder, tmp_path):
    before = describe_images(folder).name
    assert describe_images(shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)).name == before


@pytest.mark.parametrize("change", ["pixels", "added", "renamed", "size"])
def test_name_changes_with_the_data(folder, change):
    before = describe_images(folder).name
    if change == "pixels":
        Image.fromarray(noise(40, 40, 3, seed=9)).save(folder / "cats/a.png")
    elif change == "added":
        Image.fromarray(noise(40, 40, 3, seed=9)).save(folder / "cats/z.png")
    elif change == "renamed":
        (folder / "cats/a.png").rename(folder / "dogs/z.png")
    assert describe_images(folder, 16 if change == "size" else None).name != before


def test_name_of_a_large_folder_is_of_names_and_sizes(folder, monkeypatch):
    monkeypatch.setattr(user_images, "MAX_DIGESTED_BYTES", 10)
    before = describe_images(folder).name
    contents = bytearray((folder / "cats/a.png").read_bytes())
    (folder / "cats/a.png").write_bytes(contents + b"\0")
    assert describe_images(folder).name != before


@pytest.mark.parametrize("name", ["ünïcödé", "…", "A__b--C.d", "x" * 300, "0"])
def test_names_are_valid(archive, name):
    path = archive.with_name(f"{name[:200]}.npz")
    archive.rename(path)
    assert NAME_PATTERN.fullmatch(describe_images(path).name)


@pytest.mark.parametrize("seed", [0, 1])
def test_one_class_is_enough(tmp_path, seed):
    (tmp_path / "pets/cats").mkdir(parents=True)
    Image.fromarray(noise(8, 8, 3, seed=seed)).save(tmp_path / "pets/cats/a.png")
    assert describe_images(tmp_path / "pets").num_classes == 1


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="There is no file or folder '.*absent'"):
        describe_images(tmp_path / "absent")


def test_another_kind_of_file(tmp_path):
    (tmp_path / "images.tar.gz").write_bytes(b"")
    with pytest.raises(DataError, match="neither a folder nor a NumPy archive"):
        describe_images(tmp_path / "images.tar.gz")


def test_empty_folder(tmp_path):
    with pytest.raises(DataError, match="has no images: expected one sub-folder for each class"):
        describe_images(tmp_path)


@pytest.mark.parametrize("size", [0, -3, 1025])
def test_size_out_of_range(folder, size):
    with pytest.raises(DataError, match=f"must be from 1 to 1024, got {size}"):
        describe_images(folder, size)


def test_arrays_are_not_resized(archive, tmp_path):
    with pytest.raises(DataError, match="have 12x10 pixels and are used as they are"):
        describe_images(archive, 32)
    cifar = write_cifar(tmp_path / "cifar", [3])
    with pytest.raises(DataError, match="have 32x32 pixels and are used as they are"):
        describe_images(cifar, 16)
    assert describe_images(cifar, 32).input_shape == (3, 32, 32)


def test_images_of_one_colour(tmp_path):
    path = tmp_path / "grey.npz"
    np.savez(path, images=np.full((4, 8, 8, 3), 7, np.uint8), labels=np.arange(4))
    with pytest.raises(DataError, match="all of one colour in at least one channel"):
        describe_images(path)


def test_broken_image_is_named(folder):
    (folder / "dogs/b.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=str(Path("dogs/b.png"))):
        describe_images(folder)
