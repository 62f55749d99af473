"""Images and labels in a NumPy archive (``.npz``)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from ...core.interfaces import Dataset
from ..formats.archive_streams import expected_bytes, open_zip, problem_of_zipped

# Names of images and labels: ours, and those of Keras' data sets.
KEYS = (("images", "labels"), ("x_train", "y_train"))
CHANNELS = (1, 3)

MAX_LABEL = 99_999
"""Four times what the largest image set has: networks get an output for each label. Ours."""

MAX_HEADER_BYTES = 10_000
"""Fifty times that of four axes. NumPy's own limit."""

MAX_ARRAY_BYTES = 8 * 2**30
"""Larger sets belong into a folder of files, of which only those of a batch are read. Ours."""


class ImageArrays(Dataset):
    """Images of a NumPy archive, which is read whole at first use.

    Args:
        path: The archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def arrays(self) -> LabelledArrays:
        """The archive's images and labels.

        Raises:
            DataError: They are missing, damaged, too large or of another kind.
        """
        return read_arrays(self.path)

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the label of every image."""
        return self.arrays.labels

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the images at these positions."""
        images = self.arrays.images[positions]
        if images.dtype == np.uint8:
            return images.astype(np.float32) / np.float32(255)
        return images.astype(np.float32)


@dataclass(frozen=True)
class LabelledArrays:
    """Images, uint8 or floats in [0, 1] of shape (n, channels, height, width), and labels, int64 of shape (n,)."""

    images: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]


def read_arrays(path: Path) -> LabelledArrays:
    """Read and check a NumPy archive; nothing in it is executed.

    Raises:
        DataError: It is not an archive of images and labels, or too large.
    """
    try:
        with path.open("rb") as file, open_zip(path, file) as archive:
            names = {member.removesuffix(".npy") for member in archive.namelist()}
            images_key, labels_key = _choose_keys(names)
            limit = min(MAX_ARRAY_BYTES, expected_bytes(path.stat().st_size))
            images = _channels_first(_read_member(archive, images_key, limit))
            labels = _check_labels(_read_member(archive, labels_key, limit), len(images))
            _check_values(images)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"'{path}' cannot be used: {error}. Expected a NumPy archive, as numpy.savez writes it, with 'images' of "
            "shape (n, height, width, channels), uint8 or in [0, 1], and 'labels' of shape (n,)."
        ) from error
    return LabelledArrays(images, labels)


def _choose_keys(names: set[str]) -> tuple[str, str]:
    for images_key, labels_key in KEYS:
        if {images_key, labels_key} <= names:
            return images_key, labels_key
    found = ", ".join(sorted(names)[:10]) or "nothing"
    raise ValueError(f"it has {found}, neither 'images' and 'labels' nor 'x_train' and 'y_train'")


def _read_member(archive: zipfile.ZipFile, key: str, limit: int) -> npt.NDArray[Any]:
    member = archive.getinfo(f"{key}.npy")
    if problem := problem_of_zipped(member):
        raise ValueError(f"'{key}' {problem}")
    with archive.open(member) as file:
        shape, fortran_order, dtype = _read_header(file)
        size = dtype.itemsize
        for length in shape:
            size *= length
        if dtype.kind not in "uif":
            raise ValueError(f"'{key}' has the type {dtype}, expected numbers")
        if size > min(limit, member.file_size):
            raise ValueError(
                f"'{key}' claims {size:,} bytes, its file {member.file_size:,}; at most {limit:,} are read"
            )
        contents = _read_exactly(file, size)
    array: npt.NDArray[Any] = np.frombuffer(contents, dtype)
    return array.reshape(shape, order="F" if fortran_order else "C")


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type of an array, whose header must be short: NumPy evaluates it."""
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    size = _read_exactly(file, 2 * version[0])
    length = int.from_bytes(size, "little")
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"its header has {length:,} bytes, expected at most {MAX_HEADER_BYTES:,}")
    return read_header(io.BytesIO(size + _read_exactly(file, length)))


def _read_exactly(file: Any, size: int) -> bytearray:
    # Read in pieces: memory grows with what is there, not with what the header claims.
    contents = bytearray()
    while len(contents) < size:
        piece = file.read(min(size - len(contents), 2**24))
        if not piece:
            raise ValueError("it is cut off")
        contents += piece
    return contents


def _channels_first(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if images.ndim == 3:
        return images[:, np.newaxis]
    if images.ndim != 4 or not (images.shape[1] in CHANNELS or images.shape[3] in CHANNELS):
        raise ValueError(f"its images have shape {images.shape}, expected 1 or 3 channels")
    if images.shape[1] in CHANNELS and images.shape[3] in CHANNELS:
        raise ValueError(f"its images have shape {images.shape}, which may be channels first or last")
    return images if images.shape[1] in CHANNELS else np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _check_values(images: npt.NDArray[Any]) -> None:
    if not images.size:
        raise ValueError("it has no images")
    if images.dtype == np.uint8:
        return
    if images.dtype.kind != "f":
        raise ValueError(f"its images have the type {images.dtype}, expected uint8 or floats")
    # Not a number fails both comparisons.
    if not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"its images have values from {images.min()} to {images.max()}, expected 0 to 1")


def _check_labels(labels: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (count,) or labels.dtype.kind not in "ui":
        raise ValueError(f"its labels are {labels.dtype} of shape {labels.shape}, expected {count:,} whole numbers")
    if count and not 0 <= labels.min() <= labels.max() <= MAX_LABEL:
        raise ValueError(f"its labels go from {labels.min()} to {labels.max()}, expected 0 to {MAX_LABEL:,} at most")
    return labels.astype(np.int64)
