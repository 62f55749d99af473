import io
import random
import zipfile

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images.image_arrays import ImageArrays, read_arrays
from nasbench_toolkit.core.errors import DataError

POSITIONS = np.array([2, 0])


def uint8_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(writer=np.savez, **arrays):
        path = tmp_path / "images.npz"
        writer(path, **arrays)
        return path

    return save


@pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("keys", [("images", "labels"), ("x_train", "y_train")], ids="-".join)
def test_channels_last(save, writer, keys):
    images = uint8_images(3, 6, 5, 3)
    dataset = ImageArrays(save(writer, **{keys[0]: images, keys[1]: np.array([4, 0, 2])}))
    assert dataset.labels().tolist() == [4, 0, 2]
    assert dataset.labels().dtype == np.int64
    expected = images[POSITIONS].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    assert np.array_equal(dataset.inputs(POSITIONS), expected)
    assert dataset.inputs(POSITIONS).dtype == np.float32


def test_channels_first(save):
    images = uint8_images(3, 1, 5, 5)
    dataset = ImageArrays(save(images=images, labels=np.zeros(3, np.uint8)))
    assert np.array_equal(dataset.inputs(POSITIONS) * 255, images[POSITIONS])


def test_grey_images_without_a_channel_axis_and_labels_in_a_column(save):
    dataset = ImageArrays(save(x_train=uint8_images(3, 5, 5), y_train=np.array([[1], [0], [1]])))
    assert dataset.inputs(POSITIONS).shape == (2, 1, 5, 5)
    assert dataset.labels().tolist() == [1, 0, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"], ids=str)
def test_floats(save, dtype):
    images = np.linspace(0, 1, 3 * 16).reshape(3, 4, 4, 1).astype(dtype)
    dataset = ImageArrays(save(images=images, labels=np.zeros(3, int)))
    assert np.array_equal(dataset.inputs(POSITIONS)[:, 0], images[POSITIONS, ..., 0].astype(np.float32))


def test_fortran_order(save):
    images = np.asfortranarray(uint8_images(3, 4, 4, 3))
    dataset = ImageArrays(save(images=images, labels=np.zeros(3, int)))
    assert np.array_equal(dataset.inputs(POSITIONS)[1, 2] * 255, images[0, ..., 2])


FLOATS = np.full((2, 4, 4, 1), 0.5)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": FLOATS}, "it has images, neither 'images' and 'labels' nor"),
        ({"images": FLOATS[0, 0], "labels": [0]}, "expected 1 or 3 channels"),
        ({"images": np.zeros((2, 4, 4, 2)), "labels": [0, 1]}, "expected 1 or 3 channels"),
        ({"images": np.zeros((2, 3, 4, 3)), "labels": [0, 1]}, "channels first or last"),
        ({"images": FLOATS * 400, "labels": [0, 1]}, "values from 200.0 to 200.0, expected 0 to 1"),
        ({"images": FLOATS * -1, "labels": [0, 1]}, "expected 0 to 1"),
        ({"images": FLOATS * np.nan, "labels": [0, 1]}, "values from nan"),
        ({"images": np.zeros((2, 4, 4, 1), int), "labels": [0, 1]}, "expected uint8 or floats"),
        ({"images": np.zeros((0, 4, 4, 1)), "labels": np.zeros(0, int)}, "no images"),
        ({"images": FLOATS, "labels": [0, 1, 1]}, "expected 2 whole numbers"),
        ({"images": FLOATS, "labels": [0.0, 1.0]}, "expected 2 whole numbers"),
        ({"images": FLOATS, "labels": [0, -1]}, "go from -1 to 0"),
        ({"images": FLOATS, "labels": [0, 2**40]}, "expected 0 to 99,999 at most"),
        ({"images": np.array([{}, {}]), "labels": [0, 1]}, "has the type object, expected numbers"),
        ({"images": FLOATS, "labels": np.array(["a", "b"])}, "has the type <U1, expected numbers"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_arrays_that_are_refused(save, arrays, message):
    path = save(**arrays)
    with pytest.raises(DataError, match=message) as caught:
        read_arrays(path)
    assert "images.npz" in str(caught.value)


def npy(header_shape, data=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": header_shape})
    return file.getvalue() + data


def write_members(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members.items():
            archive.writestr(f"{name}.npy", contents)
    return path


def test_array_that_claims_more_than_there_is(tmp_path):
    path = write_members(tmp_path / "a.npz", images=npy((10**6, 1000, 1000, 3)), labels=npy((10**6,)))
    with pytest.raises(DataError, match="'images' claims 3,000,000,000,000 bytes"):
        read_arrays(path)


def test_array_with_a_long_header(tmp_path):
    header = b"\x93NUMPY\x02\x00" + (1_000_000).to_bytes(4, "little") + b"(" * 1_000_000
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", header)
        archive.writestr("labels.npy", header)
    with pytest.raises(DataError, match="its header has 1,000,000 bytes, expected at most 10,000"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_array_that_is_unpacked_at_once(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("images.npy", b"")
        archive.writestr("labels.npy", b"")
    with pytest.raises(DataError, match=f"'images' is packed by method {method}; only 'store' and 'deflate' are read"):
        read_arrays(tmp_path / "a.npz")


def test_zip_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.images.image_arrays.MAX_ARRAY_BYTES", 10**6)
    path = write_members(tmp_path / "a.npz", images=npy((400, 50, 50, 3), bytes(3 * 10**6)), labels=npy((400,)))
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match="claims 3,000,000 bytes.*at most 1,000,000 are read"):
        read_arrays(path)


@pytest.mark.parametrize("contents", [b"", b"PK\3\4", b"no archive"], ids=["empty", "cut", "text"])
def test_file_that_is_no_archive(tmp_path, contents):
    path = tmp_path / "a.npz"
    path.write_bytes(contents)
    with pytest.raises(DataError, match="a.npz' cannot be used.*zip file"):
        read_arrays(path)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
def test_mutated_archives_are_read_or_refused(save, writer):
    path = save(writer, images=uint8_images(4, 4, 4, 3), labels=np.arange(4))
    contents = path.read_bytes()
    rng = random.Random(0)
    refused = 0
    for _ in range(300):
        mutated = bytearray(contents)
        for _ in range(rng.randint(1, 3)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        path.write_bytes(mutated[: rng.randrange(len(mutated))] if rng.random() < 0.2 else mutated)
        try:
            arrays = read_arrays(path)
        except DataError:
            refused += 1
            continue
        assert arrays.images.shape[0] == len(arrays.labels)
    assert refused > 100
