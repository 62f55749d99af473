"""The architectures of a results file; every other array has a row for each of them."""

from __future__ import annotations

from collections.abc import Sequence

import h5py

from ...hdf5.stored import StoredGroup
from .arrays import read_texts, write_texts
from .encoding import Encoding

ENCODING = Encoding("nasbench-architectures", 1)
NAME = "architectures"


def write_architectures(file: h5py.Group, arch_ids: Sequence[str]) -> None:
    """Write canonical strings."""
    ENCODING.mark(write_texts(file, NAME, arch_ids))


def read_architectures(file: StoredGroup) -> tuple[str, ...]:
    """Return the canonical strings, all different. Raises ValueError if one is there twice, or they cannot be read."""
    array = file.array(NAME)
    ENCODING.check(array)
    arch_ids = tuple(read_texts(array))
    if len(set(arch_ids)) != len(arch_ids):
        raise ValueError("an architecture is listed twice")
    return arch_ids
