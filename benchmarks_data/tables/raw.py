"""A table as its file has it, before it is checked against its search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt


def _record_name(row: int) -> str:
    return f"record {row + 1:,}"


@dataclass(frozen=True)
class RawTable:
    """Rows of a table, in the order of their file.

    Attributes:
        architectures: Strings in the benchmark's own notation, one a row.
        columns: Values by metric key, shape ``(rows,)``, NaN where nothing was measured.
        reduction: How the values of several training runs became one, in words; empty if there was one run.
        checks: Further columns, which the search space can compute itself: ``module_hash`` (texts) and
            ``trainable_parameters`` (whole numbers).
        notes: What the user should know, one sentence each.
        row_name: Names a row in messages, such as ``line 17``.
        problems: Records that are not among the rows because something is wrong with them, one sentence each, which
            names the record and the field.
        identifiers: What other files of the benchmark call each row's architecture; empty if they do not name it.
        percent_is_certain: Whether the format itself says that accuracies are in percent, however small they are.
        datasets_are_guessed: Whether the data sets of the columns were guessed from the file's name.
        runs: Results of the single runs that a column is the mean of, by metric key, shape ``(rows, runs)``, NaN where
            a row has fewer; for columns whose runs the file has.
    """

    architectures: Sequence[str]
    columns: Mapping[str, npt.NDArray[np.float64]]
    reduction: str = ""
    checks: Mapping[str, Sequence[str] | npt.NDArray[np.int64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    row_name: Callable[[int], str] = _record_name
    problems: tuple[str, ...] = ()
    identifiers: Sequence[str] = ()
    percent_is_certain: bool = False
    datasets_are_guessed: bool = False
    runs: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)

    def keep(self, rows: Sequence[int]) -> RawTable:
        """Return the table with these rows alone, in this order."""
        return replace(
            self,
            architectures=[self.architectures[row] for row in rows],
            columns={key: values[rows] for key, values in self.columns.items()},
            runs={key: runs[rows] for key, runs in self.runs.items()},
            checks={key: [values[row] for row in rows] for key, values in self.checks.items()},
            row_name=lambda row: self.row_name(rows[row]),
            identifiers=[self.identifiers[row] for row in rows] if self.identifiers else (),
        )
