"""Tables of NAS-Bench-101 cells: the official files, and the interchange form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from ....benchmarks_data.tables.raw import RawTable
from ....benchmarks_data.tables.source import BLOCK_ROWS, Reader, TableSource
from ....core.errors import DataError
from ....core.interfaces import Progress
from .canonical import canonical_texts
from .cell import NUM_CELLS, module_hash, parse_cell, prune
from .parameters import count_trainable_parameters

HASHES_CHECKED = 2000
"""Rows, evenly spread, whose hash is computed; all 423,624 would take a minute, and nothing that shifts or mixes rows
of a table misses this many."""


def _read_tfrecord(path: Path, progress: Progress) -> RawTable:
    from ....benchmarks_data.formats.nasbench101_tfrecord import read_nasbench101_tfrecord

    return read_nasbench101_tfrecord(path, progress)


class Nasbench101Source(TableSource):
    """Stores one row for each of the benchmark's 423,624 cells, or as many as the file has."""

    readers: ClassVar[Mapping[str, Reader]] = {**TableSource.readers, ".tfrecord": _read_tfrecord}
    num_architectures = NUM_CELLS

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical string of each cell.

        Raises:
            InvalidArchitectureError: One is no NAS-Bench-101 cell.
        """
        return canonical_texts(texts)

    def check_rows(self, path: Path, raw: RawTable, arch_ids: Sequence[str]) -> None:
        """Compare the numbers of parameters of all rows, and the hashes of some, with those of the cells.

        Args:
            path: The file, for messages.
            raw: The table as read; either column may be missing.
            arch_ids: Canonical string of each row.

        Raises:
            DataError: A row does not fit.
        """
        if "trainable_parameters" in raw.checks:
            _check_parameters(path, raw, arch_ids)
        if "module_hash" in raw.checks:
            _check_hashes(path, raw, arch_ids)


def _check_parameters(path: Path, raw: RawTable, arch_ids: Sequence[str]) -> None:
    stated = np.asarray(raw.checks["trainable_parameters"])
    for start in range(0, len(arch_ids), BLOCK_ROWS):
        counted = count_trainable_parameters(arch_ids[start : start + BLOCK_ROWS])
        wrong = np.flatnonzero(counted != stated[start : start + BLOCK_ROWS])
        if len(wrong):
            row = start + int(wrong[0])
            raise _mismatch(path, raw, row, "trainable_parameters", str(stated[row]), str(counted[wrong[0]]))


def _check_hashes(path: Path, raw: RawTable, arch_ids: Sequence[str]) -> None:
    stated = raw.checks["module_hash"]
    for row in np.unique(np.linspace(0, len(arch_ids) - 1, HASHES_CHECKED).astype(int)).tolist():
        computed = module_hash(prune(parse_cell(arch_ids[row])))
        if stated[row] != computed:
            raise _mismatch(path, raw, row, "module_hash", str(stated[row]), computed)


def _mismatch(path: Path, raw: RawTable, row: int, column: str, stated: str, computed: str) -> DataError:
    return DataError(
        f"'{path}', {raw.row_name(row)}: {column} is {stated}, but the network of {raw.architectures[row]!r} has "
        f"{computed}. The columns of this file do not belong together: get it again, or check how it was made."
    )
