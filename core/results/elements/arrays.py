"""Arrays of numbers and texts: compressed, with a checksum, and of checked shape and size when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

# A million architectures with a curve of a hundred points; a small file can claim to unpack to far more.
MAX_ARRAY_BYTES = 2**30


def write_numbers(group: h5py.Group, name: str, values: npt.NDArray[Any]) -> h5py.Dataset:
    """Write an array of numbers, compressed and with a checksum; HDF5 allows neither for an empty one."""
    if not values.size:
        return group.create_dataset(name, data=values)
    return group.create_dataset(name, data=values, chunks=values.shape, compression="gzip", fletcher32=True)


def read_numbers(dataset: h5py.Dataset, count: int) -> npt.NDArray[np.float64]:
    """Return ``count`` numbers. Raises ValueError if the dataset holds anything else."""
    if dataset.shape != (count,) or dataset.dtype.kind != "f":
        raise ValueError(f"'{dataset.name}' must hold {count} numbers")
    return _load(dataset).astype(np.float64)


def read_rows(dataset: h5py.Dataset, count: int) -> npt.NDArray[np.float64]:
    """Return ``count`` rows of numbers. Raises ValueError if the dataset holds anything else."""
    if dataset.ndim != 2 or len(dataset) != count or dataset.dtype.kind != "f":
        raise ValueError(f"'{dataset.name}' must hold {count} curves")
    return _load(dataset).astype(np.float64)


def read_whole_numbers(dataset: h5py.Dataset, count: int) -> list[int]:
    """Return ``count`` whole numbers. Raises ValueError if the dataset holds anything else."""
    if dataset.shape != (count,) or dataset.dtype.kind != "i":
        raise ValueError(f"'{dataset.name}' must hold {count} whole numbers")
    numbers: list[int] = _load(dataset).tolist()
    return numbers


def write_texts(group: h5py.Group, name: str, texts: Sequence[str]) -> h5py.Dataset:
    """Write texts, of fixed length so that they are compressed and have a checksum."""
    return write_encoded(group, name, np.array([text.encode() for text in texts], "S"))


def write_encoded(group: h5py.Group, name: str, texts: npt.NDArray[np.bytes_]) -> h5py.Dataset:
    """Write texts that are UTF-8 already."""
    return write_numbers(group, name, texts.astype(h5py.string_dtype("utf-8", max(1, texts.itemsize))))


def read_texts(dataset: h5py.Dataset, count: int | None = None) -> list[str]:
    """Return the texts of a dataset, ``count`` if given. Raises ValueError if it holds anything else."""
    return [text.decode() for text in read_encoded(dataset, count).tolist()]


def read_encoded(dataset: h5py.Dataset, count: int | None = None) -> npt.NDArray[np.bytes_]:
    """Return the texts of a dataset as UTF-8, which nobody has checked. Raises as :func:`read_texts`."""
    if dataset.ndim != 1 or dataset.dtype.kind != "S" or count not in (None, len(dataset)):
        raise ValueError(f"'{dataset.name}' must hold {'texts' if count is None else f'{count} texts'}")
    return _load(dataset)


def _load(dataset: h5py.Dataset) -> npt.NDArray[Any]:
    """Return what a dataset holds. Raises ValueError if that is too large to be true."""
    if dataset.nbytes > MAX_ARRAY_BYTES:
        raise ValueError(f"'{dataset.name}' would unpack to {dataset.nbytes:,} bytes")
    loaded: npt.NDArray[Any] = dataset[()]
    return loaded
