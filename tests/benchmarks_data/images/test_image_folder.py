import struct
import zlib

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images.image_folder import ImageFolder, decode_image, list_images
from nasbench_toolkit.core.errors import DataError
from PIL import Image


def gradient(width, height, mode="RGB"):
    """An image whose red rises from left to right and whose green rises from top to bottom."""
    array = np.zeros((height, width, 3), np.uint8)
    array[:, :, 0] = np.linspace(0, 255, width).astype(np.uint8)
    array[:, :, 1] = np.linspace(0, 255, height).astype(np.uint8)[:, np.newaxis]
    return Image.fromarray(array).convert(mode)


def claim_size(path, width, height):
    """Rewrite the size in a PNG's header."""
    contents = bytearray(path.read_bytes())
    contents[16:24] = struct.pack(">II", width, height)
    contents[29:33] = struct.pack(">I", zlib.crc32(contents[12:29]))
    path.write_bytes(contents)


@pytest.fixture
def folder(tmp_path):
    for name, size in (("cats/b.png", 8), ("cats/a.JPG", 9), ("ants/c.bmp", 10)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        gradient(size, size).save(tmp_path / name)
    (tmp_path / "cats/readme.txt").write_text("cats")
    (tmp_path / "cats/.hidden.png").write_text("nothing")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/d.png").write_text("nothing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "e.png").write_text("nothing")
    return tmp_path


def test_classes_and_files_are_sorted(folder):
    contents = list_images(folder)
    assert contents.classes == ("ants", "cats")
    assert [file.as_posix() for file in contents.files] == ["ants/c.bmp", "cats/a.JPG", "cats/b.png"]
    assert contents.labels.tolist() == [0, 1, 1]
    assert contents.others == 2


def test_images_are_decoded_by_position(folder):
    dataset = ImageFolder(folder, 4)
    assert dataset.labels().tolist() == [0, 1, 1]
    images = dataset.inputs(np.array([2, 0]))
    assert images.shape == (2, 3, 4, 4)
    assert images.dtype == np.float32
    assert np.array_equal(images[0], decode_image(folder / "cats/b.png", 4))


def test_only_asked_for_images_are_read(folder):
    (folder / "cats/a.JPG").write_bytes(b"broken")
    dataset = ImageFolder(folder, 4)
    assert dataset.inputs(np.array([0, 2])).shape == (2, 3, 4, 4)
    with pytest.raises(DataError, match=r"cats/a.JPG' cannot be used"):
        dataset.inputs(np.array([1]))


def test_decode_image_of_the_right_size_is_unchanged(tmp_path):
    gradient(8, 8).save(tmp_path / "a.png")
    expected = np.asarray(gradient(8, 8)).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(decode_image(tmp_path / "a.png", 8), expected, atol=1e-7)


@pytest.mark.parametrize(("width", "height"), [(40, 16), (16, 40), (17, 16)])
def test_decode_image_crops_the_centre(tmp_path, width, height):
    image = gradient(width, height)
    image.save(tmp_path / "a.png")
    left, top = (width - 16) // 2, (height - 16) // 2
    expected = np.asarray(image)[top : top + 16, left : left + 16].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(decode_image(tmp_path / "a.png", 16), expected, atol=1e-7)


def test_decode_image_averages_what_a_pixel_covers(tmp_path):
    # A chessboard of single pixels: without antialiasing, a resized pixel would be black or white.
    board = np.indices((64, 64)).sum(axis=0) % 2 * np.uint8(255)
    Image.fromarray(board.astype(np.uint8)).save(tmp_path / "a.png")
    np.testing.assert_allclose(decode_image(tmp_path / "a.png", 8), 0.5, atol=0.02)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK", "LA"])
def test_decode_image_is_always_rgb(tmp_path, mode):
    gradient(8, 8, mode).save(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"))
    image = decode_image(next(tmp_path.iterdir()), 8)
    assert image.shape == (3, 8, 8)
    assert 0 <= image.min() < image.max() <= 1


def broken(path):
    path.write_bytes(path.read_bytes()[:60])


def more_bits(path):
    Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(broken, "cannot be used", id="cut-off"),
        pytest.param(lambda path: path.write_text("<svg/>"), "cannot identify image file", id="other-format"),
        pytest.param(lambda path: path.write_bytes(b""), "cannot identify image file", id="empty"),
        pytest.param(lambda path: claim_size(path, 60_000, 60_000), "decompression bomb", id="bomb"),
        pytest.param(lambda path: claim_size(path, 9_500, 9_500), "decompression bomb", id="small-bomb"),
        pytest.param(lambda path: claim_size(path, 8_100, 8_100), "at most 64,000,000", id="too-large"),
        pytest.param(more_bits, "more than 8 bits a channel", id="16-bits"),
        pytest.param(lambda path: path.unlink(), "No such file", id="gone"),
    ],
)
def test_decode_image_refusals(tmp_path, damage, message):
    path = tmp_path / "a.png"
    gradient(8, 8).save(path)
    damage(path)
    with pytest.raises(DataError, match=message) as caught:
        decode_image(path, 8)
    assert str(path) in str(caught.value)


def test_folder_without_images(tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    gradient(8, 8).save(tmp_path / "deep/er/a.png")
    with pytest.raises(DataError, match="has no images: expected one sub-folder for each class"):
        list_images(tmp_path)


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        list_images(tmp_path / "absent")
