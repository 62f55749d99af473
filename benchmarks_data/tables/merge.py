"""From the rows of a file to one row for each canonical architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from .raw import RawTable
from .repeats import noise_ceiling

Columns = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class TableRows:
    """A table with one row for each canonical architecture.

    Attributes:
        arch_ids: Canonical strings, distinct, in rising order.
        columns: Values by metric key, shape ``(rows,)``, NaN where nothing was measured.
        rows_merged: How many rows of the file became this one, shape ``(rows,)``.
        noise_ceilings: By metric key, the rank correlation between the column and one made of other runs; only where
            the file has enough runs.
        reduction: How several values became one, in words; empty if each is a single one, as far as is known.
        notes: What the user should know, one sentence each.
    """

    arch_ids: list[str]
    columns: Columns
    rows_merged: npt.NDArray[np.int32]
    reduction: str
    notes: tuple[str, ...] = ()
    noise_ceilings: Mapping[str, float] = field(default_factory=dict)


def merge_rows(
    path: Path, raw: RawTable, arch_ids: list[str], what_is_merged: str, *, repeats_are_runs: bool
) -> TableRows:
    """Sort a table by canonical string and merge rows of the same one to the mean of what they have.

    What is counted on the network itself, such as its parameters, is that of the canonical spelling where the file has
    it: other spellings may hold parts that do nothing.

    Args:
        path: The file, for messages.
        raw: The table as read.
        arch_ids: Canonical string of each row.
        what_is_merged: Rows of one canonical architecture, in words.
        repeats_are_runs: If not, a string that is listed twice must have the same values, and counts once.

    Raises:
        DataError: Rows with the same string disagree.
    """
    order = np.array(sorted(range(len(arch_ids)), key=arch_ids.__getitem__))
    columns, dropped = dict(raw.columns), 0
    if not repeats_are_runs:
        repeated = _repeated_rows(path, raw, order, arch_ids)
        order = order[~np.isin(order, repeated)]
        dropped = len(repeated)
    notes = [f"Rows that repeat another one, and count once: {dropped:,}."] if dropped else []
    starts = np.array([i for i, row in enumerate(order) if i == 0 or arch_ids[row] != arch_ids[order[i - 1]]])
    rows_merged = np.diff(starts, append=len(order)).astype(np.int32)
    reduction = raw.reduction
    if rows_merged.max() > 1:
        reduction = f"{reduction} and of {what_is_merged}" if reduction else f"mean of {what_is_merged}"
        notes.append(f"{len(order):,} rows became {len(starts):,}: the values of {what_is_merged} were averaged.")
    merged = {key: _group_means(values[order], starts, rows_merged) for key, values in columns.items()}
    spelled = _canonically_spelled_rows(raw, order, starts, arch_ids)
    for key in filter(_is_counted_on_the_network, columns):
        own = np.where(spelled < 0, np.nan, columns[key][spelled])
        merged[key] = np.where(np.isnan(own), merged[key], own)
    ceilings = _noise_ceilings(raw, order, starts, repeats_are_runs=repeats_are_runs)
    notes += _about_ceilings(ceilings)
    return TableRows(
        [arch_ids[order[start]] for start in starts], merged, rows_merged, reduction, tuple(notes), ceilings
    )


def _noise_ceilings(
    raw: RawTable, order: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], *, repeats_are_runs: bool
) -> dict[str, float]:
    ceilings = {}
    for key, values in raw.columns.items():
        # Where a benchmark lists what it trained twice in two rows, a row without runs of its own is one.
        runs = raw.runs.get(key, values[:, None] if repeats_are_runs and not _is_counted_on_the_network(key) else None)
        ceiling = None if runs is None else noise_ceiling(runs, order, starts)
        if ceiling is not None:
            ceilings[key] = ceiling
    return ceilings


def _about_ceilings(ceilings: Mapping[str, float]) -> list[str]:
    """Say the noise ceiling of the first metric that has one, the default where it does."""
    for key, ceiling in ceilings.items():
        others = f", and those of {len(ceilings) - 1} other metrics" if len(ceilings) > 1 else ""
        return [f"Noise ceiling of {key}, from repeated runs: {ceiling:.2f}{others}."]
    return []


def _is_counted_on_the_network(key: str) -> bool:
    return key.startswith("network/")


def _canonically_spelled_rows(
    raw: RawTable, order: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], arch_ids: list[str]
) -> npt.NDArray[np.int64]:
    """Return the row whose string is the canonical one for each group, -1 where there is none."""
    row_of = {arch_ids[row]: row for row in order.tolist() if raw.architectures[row] == arch_ids[row]}
    return np.array([row_of.get(arch_ids[order[start]], -1) for start in starts])


def _group_means(
    values: npt.NDArray[np.float64], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Return the mean of each group of neighbours without its NaN, NaN for a group of NaN."""
    if sizes.max() == 1:
        return values
    present = ~np.isnan(values)
    counts = np.add.reduceat(present.astype(np.int64), starts)
    sums = np.add.reduceat(np.where(present, values, 0.0), starts)
    means: npt.NDArray[np.float64] = np.full(len(starts), np.nan)
    return np.divide(sums, counts, out=means, where=counts > 0)


def _repeated_rows(path: Path, raw: RawTable, order: npt.NDArray[np.int64], arch_ids: list[str]) -> list[int]:
    """Return the rows whose architecture string is that of an earlier row, and check that they agree with it."""
    repeated: list[int] = []
    first_of: dict[str, int] = {}
    group = ""
    for row in order.tolist():
        if arch_ids[row] != group:
            group = arch_ids[row]
            first_of.clear()
        first = first_of.setdefault(raw.architectures[row], row)
        if first != row:
            _check_agreement(path, raw, first, row)
            repeated.append(row)
    return repeated


def _check_agreement(path: Path, raw: RawTable, first: int, row: int) -> None:
    for key, values in raw.columns.items():
        if not np.array_equal(values[first], values[row], equal_nan=True):
            raise DataError(
                f"'{path}', {raw.row_name(first)} and {raw.row_name(row)}: the architecture "
                f"'{raw.architectures[row]}' has two values of {key}, {values[first]:g} and {values[row]:g}. Keep "
                "one of the rows."
            )
