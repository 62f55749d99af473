"""Tables of NAS-Bench-101 cells: the official files, and the interchange form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from ....benchmarks_data.tables.raw import RawTable
from ....benchmarks_data.tables.source import BLOCK_ROWS, Reader, TableSource
from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable
from ....core.errors import DataError
from ....core.interfaces import ImportSummary, Progress
from .canonical import canonical_texts
from .cell import NUM_CELLS, module_hash, parse_cell, prune
from .parameters import count_trainable_parameters

HASHES_CHECKED = 2000
"""Rows, evenly spread, whose hash is computed; all 423,624 would take a minute, and nothing that shifts or mixes rows
of a table misses this many."""

TOLD_EVERY = 500
"""Hashes between two looks at the progress bar: about a third of a second."""


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

    def verify(self, folder: Path, progress: Progress) -> ImportSummary:
        """Read all of the stored table and check it, the hash of every cell with the package nasbench-pytorch.

        All 423,624 take some four minutes: 0.4 ms a hash with the package and 0.2 ms with the code of this space.

        Raises:
            DataError: It is damaged, a table of something else, or two of its rows are one cell.
        """
        summary = super().verify(folder, progress)
        path = folder / TABLE_NAME
        _recompute_hashes(path, StoredTable.open(path).arch_ids, progress)
        return summary


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


def _recompute_hashes(path: Path, arch_ids: Sequence[str], progress: Progress) -> None:
    """Check that two independent codes give each cell the same hash, and no two cells the same one."""
    # Imported here, since the package needs torch.
    from .reference import reference_hash

    rows: dict[str, int] = {}
    for row, arch_id in enumerate(arch_ids):
        cell = parse_cell(arch_id)
        stated, expected = module_hash(prune(cell)), reference_hash(cell)
        if stated != expected:
            raise DataError(f"'{path}', row {row}: {arch_id!r} has the hash {stated}, expected {expected}.")
        if rows.setdefault(stated, row) != row:
            other = arch_ids[rows[stated]]
            raise DataError(
                f"'{path}', row {row}: {arch_id!r} and {other!r} are one cell with the hash {stated}. Import the table "
                "again."
            )
        if row % TOLD_EVERY == 0 or row + 1 == len(arch_ids):
            progress(row + 1, len(arch_ids))


def _mismatch(path: Path, raw: RawTable, row: int, column: str, stated: str, computed: str) -> DataError:
    return DataError(
        f"'{path}', {raw.row_name(row)}: {column} is {stated}, but the network of {raw.architectures[row]!r} has "
        f"{computed}. The columns of this file do not belong together: get it again, or check how it was made."
    )
