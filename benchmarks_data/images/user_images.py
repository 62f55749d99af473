"""Makes a data set of a user's own images: a folder, a NumPy archive, or the official files of CIFAR where they are."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...core.descriptions import DatasetInfo
from ...core.errors import DataError
from ...core.input_files import check_input
from ...core.interfaces import Dataset, Progress
from ..named_files import open_named_files
from .image_arrays import ImageArrays
from .image_folder import ImageFolder
from .official_files import open_official_files
from .official_folder import OfficialFolder
from .official_layouts import CIFAR10, CIFAR100, ImageLayout

DEFAULT_IMAGE_SIZE = 32

MAX_IMAGE_SIZE = 1024
"""A batch of 256 such images takes 3 GB. Ours."""

STATISTICS_IMAGES = 10_000
"""Mean and standard deviation are of so many images at most, evenly spread. Ours: errors of about a thousandth."""

MAX_DIGESTED_BYTES = 10**9
"""A folder with more is told from others by its files' names and sizes alone. Ours: a few seconds of reading."""

_CHUNK_VALUES = 2**22
"""Values that are summed at once, 34 MB of them. Ours."""


def describe_images(path: Path, image_size: int | None = None, progress: Progress | None = None) -> DatasetInfo:
    """Describe the labelled images at ``path``; which kind they are of is found out.

    Args:
        path: A folder with one sub-folder of image files for each class; a ``.npz`` file with ``images`` and ``labels``
            or ``x_train`` and ``y_train``; or a folder with the official files of CIFAR-10 or CIFAR-100, itself or one
            level below.
        image_size: Height and width to resize image files to, by default 32; the other kinds keep their size.
        progress: Told how many of the images that mean and standard deviation are taken of have been read.

    Returns:
        A description whose name ends in eight digits that identify the data, and whose mean and standard deviation
        are those of the data. Several processes can create the data set from it.

    Raises:
        DataError: There are no such images, or a file is damaged.
    """
    path = path.absolute()
    check_input(path, "Name a folder with one sub-folder of images per class.", folder=True, error=DataError)
    if path.is_dir():
        layout = _official_layout(path)
        if layout is None:
            return _describe_folder(path, image_size, progress)
        return _describe_official(path, image_size, layout, progress)
    if path.suffix.lower() != ".npz":
        raise DataError(
            f"'{path}' is neither a folder nor a NumPy archive (.npz). Name a folder with one sub-folder of images "
            "per class, or unpack the archive that this is."
        )
    return _describe_arrays(path, image_size, progress)


def _describe_folder(path: Path, image_size: int | None, progress: Progress | None) -> DatasetInfo:
    size = DEFAULT_IMAGE_SIZE if image_size is None else image_size
    if not 1 <= size <= MAX_IMAGE_SIZE:
        raise DataError(f"The image size must be from 1 to {MAX_IMAGE_SIZE}, got {size}.")
    dataset = ImageFolder(path, size)
    contents = dataset.contents
    others = f"; {contents.others:,} other files left out" if contents.others else ""
    return _make_info(
        path,
        dataset,
        partial(ImageFolder, path, size),
        _digest_files(path, contents.files, f"{size}"),
        f"{len(contents.files):,} images of {len(contents.classes)} classes, resized to {size}x{size}{others}.",
        progress,
    )


def _describe_arrays(path: Path, image_size: int | None, progress: Progress | None) -> DatasetInfo:
    dataset = ImageArrays(path)
    images = dataset.arrays.images
    _refuse_resizing(path, image_size, (images.shape[2], images.shape[3]))
    shape = "x".join(map(str, images.shape[2:]))
    factory = partial(ImageArrays, path)
    return _make_info(path, dataset, factory, _digest_files(path.parent, [Path(path.name)], ""),
                      f"{len(images):,} images at {shape} pixels.", progress)  # fmt: skip


def _describe_official(
    path: Path, image_size: int | None, layout: ImageLayout, progress: Progress | None
) -> DatasetInfo:
    _refuse_resizing(path, image_size, (layout.side, layout.side))
    with open_official_files(layout, path) as files:
        used = [Path(source.location).relative_to(path) for source in files.training_sources]
        notes = " ".join(files.notes)
    dataset = OfficialFolder(layout, path)
    summary = f"{len(dataset.labels()):,} training images of {layout.title}. {notes}".strip()
    factory = partial(OfficialFolder, layout, path)
    info = _make_info(path, dataset, factory, _digest_files(path, used, ""), summary, progress)
    return dataclasses.replace(info, num_classes=layout.num_classes)


def _official_layout(folder: Path) -> ImageLayout | None:
    for layout in (CIFAR10, CIFAR100):
        names = [file.name for file in (*layout.python_files, *layout.binary_files)]
        with open_named_files(folder, names) as found:
            if found:
                return layout
    return None


def _refuse_resizing(path: Path, image_size: int | None, side: tuple[int, int]) -> None:
    if image_size is not None and side != (image_size, image_size):
        raise DataError(
            f"The images in '{path}' have {side[0]}x{side[1]} pixels and are used as they are; an image size of "
            f"{image_size} can be had with a folder of image files only."
        )


def _make_info(
    path: Path,
    dataset: Dataset,
    factory: Callable[[], Dataset],
    digest: str,
    summary: str,
    progress: Progress | None,
) -> DatasetInfo:
    labels = dataset.labels()
    mean, std, shape = _statistics(path, dataset, len(labels), progress)
    return DatasetInfo(
        name=f"images-{_readable(path)}-{digest}",
        summary=summary,
        source=f"the user's {'folder' if path.is_dir() else 'file'} '{path.name}'",
        factory=factory,
        input_shape=shape,
        num_classes=int(labels.max()) + 1,
        mean=mean,
        std=std,
        horizontal_flip=True,
        licence="the user's own",
    )


def _statistics(
    path: Path, dataset: Dataset, count: int, progress: Progress | None
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, int, int]]:
    """Return mean and standard deviation of each channel, and the shape of an image."""
    channels, height, width = dataset.inputs(np.zeros(1, np.int64)).shape[1:]
    positions = np.linspace(0, count - 1, min(count, STATISTICS_IMAGES)).astype(np.int64)
    chunk = max(1, _CHUNK_VALUES // (channels * height * width))
    sums, squares = np.zeros(channels), np.zeros(channels)
    for start in range(0, len(positions), chunk):
        images = dataset.inputs(positions[start : start + chunk]).astype(np.float64)
        sums += images.sum(axis=(0, 2, 3))
        squares += np.square(images).sum(axis=(0, 2, 3))
        if progress is not None:
            progress(min(start + chunk, len(positions)), len(positions))
    pixels = len(positions) * height * width
    mean = sums / pixels
    variance = squares / pixels - np.square(mean)
    if not (variance > 1e-9).all():
        raise DataError(f"The images in '{path}' are all of one colour in at least one channel; they cannot be used.")
    return tuple(mean.tolist()), tuple(np.sqrt(variance).tolist()), (channels, height, width)


def _digest_files(folder: Path, files: Sequence[Path], options: str) -> str:
    """Return eight digits of a hash over names and sizes, and over contents unless there are too many of them."""
    sizes = [(folder / file).stat().st_size for file in files]
    contents_too = sum(sizes) <= MAX_DIGESTED_BYTES
    digest = hashlib.sha256(options.encode())
    for file, size in zip(files, sizes, strict=True):
        digest.update(f"\0{file.as_posix()}\0{size}\0".encode("utf-8", "surrogateescape"))
        if contents_too:
            _update_from_file(digest, folder / file)
    return digest.hexdigest()[:8]


def _update_from_file(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)


def _readable(path: Path) -> str:
    words = re.findall(r"[a-z0-9]+", (path.name if path.is_dir() else path.stem).lower())
    return "-".join(words)[:40].rstrip("-") or "unnamed"
