"""Images in the data directory: one array of images and one of labels for each split, read by memory mapping.

``train_images.npy`` is uint8 of shape (n, 3, side, side), ``train_labels.npy`` int64 of shape (n,); likewise
``test_…``, which may be absent. ``images.json`` says how many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError

DESCRIPTION_NAME = "images.json"
FORMAT_VERSION = 1

# A description holds a handful of numbers; a larger one is not ours.
MAX_DESCRIPTION_BYTES = 100_000

_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RecursionError)


@dataclass(frozen=True)
class ImageBatch:
    """Some images of one split: uint8 of shape (n, 3, side, side), and their labels, int64 of shape (n,)."""

    split: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


class NpyAppender:
    """Writes a ``.npy`` file whose length becomes known at the end, so that no more than one batch is in memory.

    Args:
        path: The file, which must not exist.
        item_shape: Shape of the array without its first axis.
        dtype: Type of its values.
    """

    def __init__(self, path: Path, item_shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.count = 0
        self._item_shape = item_shape
        self._dtype = np.dtype(dtype)
        self._file: BinaryIO = path.open("xb")
        self._write_header()

    def append(self, items: npt.NDArray[Any]) -> None:
        """Add items of shape (n, *item_shape). Raises ValueError if they have another shape or type."""
        if items.shape[1:] != self._item_shape or items.dtype != self._dtype:
            raise ValueError(f"expected {self._dtype} of shape {self._item_shape}, got {items.dtype} {items.shape[1:]}")
        self._file.write(np.ascontiguousarray(items).data)
        self.count += len(items)

    def __enter__(self) -> NpyAppender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # NumPy pads headers so that another length fits into the same place.
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        descr = np.lib.format.dtype_to_descr(self._dtype)
        shape = (self.count, *self._item_shape)
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


def write_images(folder: Path, batches: Iterable[ImageBatch], side: int, num_classes: int) -> dict[str, int]:
    """Store batches as they come; those of one split must follow each other.

    Returns:
        Number of images by split.
    """
    counts: dict[str, int] = {}
    for split, group in groupby(batches, key=lambda batch: batch.split):
        with (
            NpyAppender(folder / f"{split}_images.npy", (3, side, side), np.uint8) as images,
            NpyAppender(folder / f"{split}_labels.npy", (), np.int64) as labels,
        ):
            for batch in group:
                images.append(batch.images)
                labels.append(batch.labels)
            counts[split] = images.count
    description = {"format_version": FORMAT_VERSION, "side": side, "num_classes": num_classes, "counts": counts}
    (folder / DESCRIPTION_NAME).write_text(json.dumps(description, indent=1), encoding="utf-8")
    return counts


@dataclass(frozen=True)
class StoredImages:
    """One split of a stored image set.

    Attributes:
        images: Memory-mapped, uint8 of shape (n, 3, side, side).
        labels: int64 of shape (n,), in ``0 .. num_classes - 1``.
        num_classes: Number of classes.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    num_classes: int

    @classmethod
    def open(cls, folder: Path, split: str = "train") -> StoredImages:
        """Open a split; no image is read yet.

        Raises:
            DataError: A file is missing, damaged or does not fit the others.
        """
        try:
            description = _read_description(folder)
            count, side = description["counts"][split], description["side"]
            images = np.load(folder / f"{split}_images.npy", mmap_mode="r", allow_pickle=False)
            labels = np.load(folder / f"{split}_labels.npy", allow_pickle=False)
            _check(images.shape == (count, 3, side, side) and images.dtype == np.uint8, f"{split}_images.npy")
            _check(labels.shape == (count,) and labels.dtype == np.int64, f"{split}_labels.npy")
            in_range = not count or 0 <= labels.min() <= labels.max() < description["num_classes"]
            _check(in_range, f"{split}_labels.npy")
        except _DAMAGE as error:
            raise _damaged(folder, error) from error
        return cls(images, labels, description["num_classes"])


def read_counts(folder: Path) -> dict[str, int]:
    """Return the number of images by split.

    Raises:
        DataError: The description is missing or damaged.
    """
    try:
        return {str(split): int(count) for split, count in _read_description(folder)["counts"].items()}
    except _DAMAGE as error:
        raise _damaged(folder, error) from error


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION_NAME
    _check(path.stat().st_size <= MAX_DESCRIPTION_BYTES, DESCRIPTION_NAME)
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    _check(description["format_version"] == FORMAT_VERSION, DESCRIPTION_NAME)
    return description


def _check(condition: bool, name: str) -> None:
    if not condition:
        raise ValueError(f"{name} is not what it should be")


def _damaged(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"The images in '{folder}' are damaged: {error}. Import '{folder.name}' again with "
        f"'nasbench data import {folder.name} PATH'."
    )
