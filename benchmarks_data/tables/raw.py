"""A table as its file has it, before it is checked against its search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
    """

    architectures: Sequence[str]
    columns: Mapping[str, npt.NDArray[np.float64]]
    reduction: str = ""
    checks: Mapping[str, Sequence[str] | npt.NDArray[np.int64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    row_name: Callable[[int], str] = _record_name
