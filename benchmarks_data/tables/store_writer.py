"""Writes the stored form of a table: one HDF5 file with one row for each canonical architecture.

Layout, version 1. Attributes of the root: ``format``, ``format_version``, ``data_source``, ``imported_from`` (name of
the user's file), ``reduction``, ``written_by``. Data sets: ``architectures`` (fixed-length UTF-8, distinct, in rising
order of bytes, which is what lookups search), ``rows_merged`` (int32) and ``columns/<position>`` (float64, NaN where
nothing was measured, attribute ``key``, and where enough runs were repeated ``noise_ceiling``). Everything is
compressed and carries checksums.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ... import __version__
from ...core.errors import DataError
from ...core.hdf5.writing import create_dataset, create_group, image_of, new_file, text_type, write_attributes
from .merge import TableRows

FORMAT = "nasbench-table"
FORMAT_VERSION = 1

# Rows that are compressed together. Neighbours in order share most of their string, so that few bytes a row remain.
CHUNK_ROWS = 16_384

# Six times NAS-Bench-101's architectures, the most there are; a small file can claim to unpack to far more.
MAX_ARRAY_BYTES = 2**28


def write_table(path: Path, rows: TableRows, *, data_source: str, imported_from: str) -> None:
    """Write a table whole.

    Args:
        path: Where to; an existing file is replaced.
        rows: The table.
        data_source: Name of the data source that it was imported by.
        imported_from: Name of the user's file.

    Raises:
        DataError: The architecture strings together are larger than any table's.
        OSError: It cannot be written.
    """
    image = _file_image(rows, data_source, imported_from)
    with path.open("wb") as file:
        file.write(image)
        file.flush()
        os.fsync(file.fileno())


def _file_image(rows: TableRows, data_source: str, imported_from: str) -> bytes:
    """Return the bytes of the file."""
    with new_file() as file:
        write_attributes(
            file,
            format=FORMAT,
            format_version=FORMAT_VERSION,
            data_source=data_source,
            imported_from=imported_from.encode(errors="replace").decode(),
            reduction=rows.reduction,
            written_by=f"nasbench-toolkit {__version__}",
        )
        _write_arch_ids(file, rows.arch_ids)
        _write_numbers(file, "rows_merged", rows.rows_merged)
        columns = create_group(file, "columns")
        for position, (key, values) in enumerate(rows.columns.items()):
            column = _write_numbers(columns, str(position), values)
            write_attributes(column, key=key)
            if key in rows.noise_ceilings:
                write_attributes(column, noise_ceiling=rows.noise_ceilings[key])
        return image_of(file)


def _write_arch_ids(file: h5py.File, arch_ids: Sequence[str]) -> None:
    length = max(len(arch_id.encode()) for arch_id in arch_ids)
    if length * len(arch_ids) > MAX_ARRAY_BYTES:
        raise DataError(
            f"The table has {len(arch_ids):,} architectures, one of them with a string of {length:,} bytes. Together "
            f"they would take more than {MAX_ARRAY_BYTES:,} bytes, which no benchmark does; check the file."
        )
    dtype = text_type(length)
    dataset = _create(file, "architectures", (len(arch_ids),), dtype)
    for start in range(0, len(arch_ids), CHUNK_ROWS):
        block = [arch_id.encode() for arch_id in arch_ids[start : start + CHUNK_ROWS]]
        dataset[start : start + CHUNK_ROWS] = np.array(block, dtype=dtype)


def _write_numbers(group: h5py.Group, name: str, values: npt.NDArray[Any]) -> h5py.Dataset:
    dataset = _create(group, name, values.shape, values.dtype)
    dataset[:] = values
    return dataset


def _create(group: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> h5py.Dataset:
    return create_dataset(
        group, name, shape, dtype, chunks=(min(CHUNK_ROWS, shape[0]),), compression="gzip", compression_opts=9,
        shuffle=True, fletcher32=True,
    )  # fmt: skip
