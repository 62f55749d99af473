"""Which columns of an interchange table mean what; the same for all its file formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError, closest_matches
from .metrics import MAX_COUNT

ARCHITECTURE = "architecture"
PARAMETERS_KEY = "network/parameters"
PARAMETER_COLUMNS = ("trainable_parameters", "num_parameters")
HASH_COLUMN = "module_hash"
IDENTIFIER_COLUMN = "recipe_id"
"""The number of a recipe in NAS-Bench-NLP's logs, by which its embedding names it."""

# Five times the rows and the values of NAS-Bench-101 with all that its makers measured, the largest table there is:
# a few bytes of compressed text can claim any number.
MAX_ROWS = 2_000_000
MAX_VALUES = 2**25


@dataclass(frozen=True)
class ColumnPlan:
    """Where the columns are.

    Attributes:
        architecture: Position of the architecture strings.
        metrics: Position of the values by metric key.
        names: Name in the file by metric key, for messages.
        module_hash: Position of the isomorphism hashes, None if there are none.
        identifier: Position of what other files of the benchmark call the architectures, None if there are none.
        ignored: Names of the other columns.
    """

    architecture: int
    metrics: dict[str, int]
    names: dict[str, str]
    module_hash: int | None
    identifier: int | None
    ignored: tuple[str, ...]

    @property
    def max_rows(self) -> int:
        """More rows than any table with these columns has."""
        return min(MAX_ROWS, MAX_VALUES // len(self.metrics))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        return (f"Ignored the columns {', '.join(self.ignored)}.",) if self.ignored else ()


def plan_columns(path: Path, columns: Sequence[str]) -> ColumnPlan:
    """Decide which columns to read.

    Args:
        path: The file, for messages.
        columns: Names of its columns.

    Raises:
        DataError: ``architecture`` or all results are missing, or two columns have one name.
    """
    metrics: dict[str, int] = {}
    for position, name in enumerate(columns):
        key = PARAMETERS_KEY if name in PARAMETER_COLUMNS else name
        if columns.index(name) != position or key in metrics:
            raise DataError(f"'{path}' has two columns for '{key}'. Remove one of them.")
        if "/" in key:
            metrics[key] = position
    if ARCHITECTURE not in columns:
        raise DataError(
            f"'{path}' has no column '{ARCHITECTURE}'. {closest_matches(ARCHITECTURE, columns)}It has "
            f"{', '.join(columns)[:500] or 'none'}. Name the column with the architecture strings '{ARCHITECTURE}'."
        )
    if not metrics:
        raise DataError(
            f"'{path}' has no column with results. Name such columns 'dataset/metric@epochs', as in "
            "'cifar10/test_accuracy@108'."
        )
    used = {ARCHITECTURE, HASH_COLUMN, IDENTIFIER_COLUMN, *(columns[position] for position in metrics.values())}
    return ColumnPlan(
        architecture=columns.index(ARCHITECTURE),
        metrics=metrics,
        names={key: columns[position] for key, position in metrics.items()},
        module_hash=columns.index(HASH_COLUMN) if HASH_COLUMN in columns else None,
        identifier=columns.index(IDENTIFIER_COLUMN) if IDENTIFIER_COLUMN in columns else None,
        ignored=tuple(name for name in columns if name not in used),
    )


def checks_of(
    plan: ColumnPlan, columns: dict[str, npt.NDArray[np.float64]], module_hashes: Sequence[str]
) -> dict[str, Sequence[str] | npt.NDArray[np.int64]]:
    """Return what the search space can check: ``trainable_parameters`` where no row lacks them, ``module_hash``."""
    checks: dict[str, Sequence[str] | npt.NDArray[np.int64]] = {}
    if plan.names.get(PARAMETERS_KEY) == PARAMETER_COLUMNS[0]:
        counts = columns[PARAMETERS_KEY]
        if ((counts >= 0.0) & (counts <= MAX_COUNT)).all():
            checks[PARAMETER_COLUMNS[0]] = counts.astype(np.int64)
    if plan.module_hash is not None:
        checks[HASH_COLUMN] = module_hashes
    return checks
