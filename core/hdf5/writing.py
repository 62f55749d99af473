"""Makes HDF5 files in memory, of what :mod:`.reading` takes: every byte of them is covered by a checksum of HDF5.

Structure and attributes are in the format of HDF5 1.10, the oldest that checksums them; texts are of fixed length,
because HDF5 keeps others where no checksum covers them, and a flipped bit there makes it loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5g, h5p

from .limits import MAX_ARRAY_BYTES, MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_OBJECTS, MAX_TEXT_BYTES
from .stored import part_name

HDF5_VERSIONS = ("v110", "v110")

# Up to so many attributes stay with their element, whose checksum covers large ones too; HDF5 moves a ninth elsewhere.
ATTRIBUTES_IN_PLACE = 2000


@contextmanager
def new_file() -> Iterator[h5py.File]:
    """Give a new file in memory, because HDF5 crashes when a disk fills up under it."""
    with h5py.File("image", "w", driver="core", backing_store=False, libver=HDF5_VERSIONS) as file:
        yield file


def image_of(file: h5py.File) -> bytes:
    """Return the bytes of a file in memory. Raises ValueError if they could not be read again."""
    sizes: list[int] = []
    file.visititems(lambda _, element: sizes.append(getattr(element, "nbytes", 0)))
    if sum(sizes) > MAX_FILE_BYTES:
        raise ValueError(f"all of it together takes {sum(sizes):,} bytes, a file can hold {MAX_FILE_BYTES:,}")
    if len(sizes) > MAX_OBJECTS:
        raise ValueError(f"it has {len(sizes):,} elements, a file can hold {MAX_OBJECTS:,}")
    file.flush()
    image: bytes = file.id.get_file_image()
    return image


def create_group(parent: h5py.Group, name: str) -> h5py.Group:
    """Make a group. Raises ValueError if its name is too long."""
    _check_name(name)
    properties = h5p.create(h5p.GROUP_CREATE)
    properties.set_attr_phase_change(ATTRIBUTES_IN_PLACE, 0)
    return h5py.Group(h5g.create(parent.id, name.encode(), gcpl=properties))


def create_dataset(parent: h5py.Group, name: str, shape: tuple[int, ...], dtype: Any, **options: Any) -> h5py.Dataset:
    """Make an array, with the options of h5py. Raises ValueError if its name is too long, or the array too large."""
    _check_name(name)
    size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=object))
    if size > MAX_ARRAY_BYTES:
        raise ValueError(f"'{name}' takes {size:,} bytes, an array can hold {MAX_ARRAY_BYTES:,}")
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_attr_phase_change(ATTRIBUTES_IN_PLACE, 0)
    return parent.create_dataset(name, shape, dtype, dcpl=properties, **options)


def write_attributes(element: h5py.Group | h5py.Dataset, /, **values: str | float | bool) -> None:
    """Write texts, numbers and booleans as attributes; a text that is too long for one goes on in others.

    Raises:
        ValueError: A text cannot be written in UTF-8 or ends with a NUL.
    """
    for name, value in values.items():
        _check_name(name)
        if not isinstance(value, str):
            element.attrs[name] = value
            continue
        encoded = value.encode()
        check_ends(name, encoded)
        for number, part in enumerate(_parts(encoded), start=1):
            element.attrs.create(part_name(name, number), part, dtype=text_type(len(part)))


def text_type(num_bytes: int) -> np.dtype[Any]:
    """Return the type of texts of at most ``num_bytes``."""
    dtype: np.dtype[Any] = h5py.string_dtype("utf-8", max(1, num_bytes))
    return dtype


def as_fixed(name: str, encoded: list[bytes]) -> npt.NDArray[np.bytes_]:
    """Return texts in UTF-8 as an array of the length of the longest.

    Raises:
        ValueError: One ends with a NUL, or the array would be too large.
    """
    longest = max(map(len, encoded), default=0)
    if longest * len(encoded) > MAX_ARRAY_BYTES:
        raise ValueError(f"{len(encoded):,} texts, one of {longest:,} bytes, are too large for '{name}'")
    for text in encoded:
        check_ends(name, text)
    return np.array(encoded, text_type(longest))


def check_ends(name: str, encoded: bytes) -> None:
    """Check that a text of fixed length comes back as it is. Raises ValueError if it ends with a NUL."""
    if encoded.endswith(b"\0"):
        raise ValueError(f"a text of '{name}' ends with a NUL")


def _check_name(name: str) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"the name '{name[:40]}...' is longer than {MAX_NAME_BYTES:,} bytes")


def _parts(encoded: bytes) -> Iterator[bytes]:
    """Cut a text where characters begin."""
    start = 0
    while len(encoded) - start > MAX_TEXT_BYTES:
        end = start + MAX_TEXT_BYTES
        while encoded[end] & 0xC0 == 0x80:
            end -= 1
        yield encoded[start:end]
        start = end
    yield encoded[start:]
