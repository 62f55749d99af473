"""Arrays of numbers and texts: compressed, with a checksum, and of checked shape and size when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ...hdf5.stored import StoredArray
from ...hdf5.writing import as_fixed, create_dataset, text_type

# What all messages of an evaluator together may take: 79 bytes each where all of NAS-Bench-101 is evaluated.
MAX_PROSE_BYTES = 2**25
SHORTEST_PROSE_BYTES = 40

_LEFT_OUT = "..."


def write_numbers(group: h5py.Group, name: str, values: npt.NDArray[Any]) -> h5py.Dataset:
    """Write an array of numbers, compressed and with a checksum; HDF5 allows neither for an empty one.

    Raises:
        ValueError: It is too large to be read again.
    """
    packed = {"chunks": values.shape, "compression": "gzip", "fletcher32": True} if values.size else {}
    return create_dataset(group, name, values.shape, values.dtype, data=values, **packed)


def read_numbers(array: StoredArray, count: int) -> npt.NDArray[np.float64]:
    """Return ``count`` numbers. Raises ValueError if the array holds anything else."""
    _check(array, array.shape == (count,) and array.kind == "f", f"{count} numbers")
    return array.load().astype(np.float64, copy=False)


def read_rows(array: StoredArray, count: int) -> npt.NDArray[np.float64]:
    """Return ``count`` rows of numbers. Raises ValueError if the array holds anything else."""
    _check(array, len(array.shape) == 2 and array.shape[0] == count and array.kind == "f", f"{count} curves")
    return array.load().astype(np.float64, copy=False)


def read_whole_numbers(array: StoredArray, count: int) -> list[int]:
    """Return ``count`` whole numbers. Raises ValueError if the array holds anything else."""
    _check(array, array.shape == (count,) and array.kind == "i", f"{count} whole numbers")
    numbers: list[int] = array.load().tolist()
    return numbers


def write_texts(group: h5py.Group, name: str, texts: Sequence[str]) -> h5py.Dataset:
    """Write texts, of fixed length so that they are compressed and have a checksum.

    Raises:
        ValueError: They could not be read again: one is no Unicode or ends with a NUL, or they are too large.
    """
    return write_numbers(group, name, as_fixed(name, [text.encode() for text in texts]))


def write_prose(group: h5py.Group, name: str, texts: Sequence[str]) -> h5py.Dataset:
    """Write texts for people, of which the ends of long ones are left out where there are very many.

    All texts take as much room as the longest, so that one of 4,000 bytes among 400,000 would be 1.6 GB.
    """
    longest = max(SHORTEST_PROSE_BYTES, MAX_PROSE_BYTES // max(1, len(texts)))
    return write_texts(group, name, [_shortened(text, longest) for text in texts])


def write_encoded(group: h5py.Group, name: str, texts: npt.NDArray[np.bytes_]) -> h5py.Dataset:
    """Write texts that are UTF-8 already."""
    return write_numbers(group, name, texts.astype(text_type(texts.itemsize)))


def read_texts(array: StoredArray) -> list[str]:
    """Return the texts of an array, however many. Raises ValueError if it holds anything else."""
    _check(array, len(array.shape) == 1, "texts")
    return [text.decode() for text in read_encoded(array, array.shape[0]).tolist()]


def read_encoded(array: StoredArray, count: int) -> npt.NDArray[np.bytes_]:
    """Return ``count`` texts as UTF-8, which nobody has checked. Raises ValueError if the array holds anything else."""
    _check(array, array.shape == (count,) and array.kind == "S", f"{count} texts")
    return array.load()


def _check(array: StoredArray, fits: bool, expected: str) -> None:
    if not fits:
        raise ValueError(f"'{array.name}' must hold {expected}")


def _shortened(text: str, num_bytes: int) -> str:
    encoded = text.encode()
    if len(encoded) <= num_bytes:
        return text
    return encoded[: num_bytes - len(_LEFT_OUT)].decode(errors="ignore") + _LEFT_OUT
