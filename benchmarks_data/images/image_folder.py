"""Image files of any size in one folder per class, cropped and resized when they are asked for."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from ...core.interfaces import Dataset

if TYPE_CHECKING:
    from PIL import Image

# Formats that Pillow decodes by itself, without starting other programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))

MAX_PIXELS = 64_000_000
"""More than any camera that training images come from; a few kilobytes can claim far more. Ours."""


@dataclass(frozen=True)
class FolderContents:
    """What is in a folder of images.

    Attributes:
        classes: Names of the sub-folders that hold images, sorted: a position is a label.
        files: Images, relative to the folder, sorted by class and then by name.
        labels: The class of each image, int64 of shape (n,).
        others: Number of files that are no images.
    """

    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    others: int


class ImageFolder(Dataset):
    """RGB images from ``folder/CLASS/FILE``.

    An image is cropped to the largest square at its centre, which is resized with Pillow's bilinear filter; it averages
    over all pixels that a target pixel covers (antialiasing).

    Args:
        folder: The folder.
        image_size: Height and width to resize to.
    """

    def __init__(self, folder: Path, image_size: int) -> None:
        self.folder = folder
        self.image_size = image_size

    @cached_property
    def contents(self) -> FolderContents:
        """What is in the folder.

        Raises:
            DataError: There are no images in sub-folders, or it cannot be read.
        """
        return list_images(self.folder)

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the class of every image."""
        return self.contents.labels

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Decode the images at these positions.

        Raises:
            DataError: A file is broken, or not what its name says.
        """
        images = np.empty((len(positions), 3, self.image_size, self.image_size), np.float32)
        for row, position in enumerate(positions):
            images[row] = decode_image(self.folder / self.contents.files[position], self.image_size)
        return images


def list_images(folder: Path) -> FolderContents:
    """List the image files in the sub-folders of ``folder``; hidden ones, and what lies deeper, are left out.

    Raises:
        DataError: There are none, or the folder cannot be read.
    """
    classes: list[str] = []
    files: list[Path] = []
    labels: list[int] = []
    others = 0
    try:
        for class_folder in sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."):
            names = sorted(entry.name for entry in os.scandir(class_folder) if entry.is_file())
            images = [name for name in names if Path(name).suffix.lower() in SUFFIXES and name[0] != "."]
            others += len(names) - len(images)
            if images:
                labels += [len(classes)] * len(images)
                classes.append(class_folder.name)
                files += [Path(class_folder.name, name) for name in images]
    except OSError as error:
        raise DataError(f"Cannot read the folder '{folder}': {error.strerror}.") from error
    if not files:
        raise DataError(
            f"'{folder}' has no images: expected one sub-folder for each class with files that end in "
            f"{', '.join(sorted(SUFFIXES))}. If these folders are one level deeper, name that level."
        )
    return FolderContents(tuple(classes), tuple(files), np.array(labels, np.int64), others)


def decode_image(path: Path, image_size: int) -> npt.NDArray[np.float32]:
    """Read an image file as RGB, shape (3, image_size, image_size), in [0, 1].

    Raises:
        DataError: It is broken, too large, or has more than 8 bits a channel.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                _check_image(image)
                square = _resize(image.convert("RGB"), image_size)
    except Exception as error:
        raise DataError(f"The image '{path}' cannot be used: {error}. Replace or remove it.") from error
    return np.asarray(square, np.float32).transpose(2, 0, 1) / np.float32(255)


def _check_image(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"it has {width:,} x {height:,} pixels, at most {MAX_PIXELS:,} are decoded")
    # Pillow would clip them to 8 bits instead of scaling.
    if image.mode.startswith(("I", "F")):
        raise ValueError("it has more than 8 bits a channel; convert it to 8")


def _resize(image: Image.Image, image_size: int) -> Image.Image:
    from PIL import Image

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((image_size, image_size), Image.Resampling.BILINEAR, box=box)
