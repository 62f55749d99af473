"""A run as a report treats it: its table, and what charts show besides."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ..core.errors import UsageError
from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from .aggregates import select_aggregate
from .correlation import CorrelationRow, CorrelationTable, correlation_table
from .curves import CurveTable, curve_table
from .select import EvaluatorSelection, Selection, select


@dataclass(frozen=True)
class RunPart:
    """A run with all that is compared in it.

    Attributes:
        results: Contents of its file.
        table: The correlations.
        selection: Scores and ground truth, higher is better.
        evaluators: Evaluators and aggregates, one for each row of the table.
        curves: Correlations along curves, None if no evaluator has one.
    """

    results: Results
    table: CorrelationTable
    selection: Selection
    evaluators: tuple[EvaluatorSelection, ...]
    curves: CurveTable | None

    @property
    def arch_ids(self) -> tuple[str, ...]:
        """The architectures that are compared, in the order of the scores."""
        column = self.selection.column
        if column is None:
            return self.results.arch_ids
        known = ~np.isnan(np.asarray(column.values, dtype=np.float64))
        return tuple(arch_id for arch_id, is_known in zip(self.results.arch_ids, known, strict=True) if is_known)

    @property
    def compared(self) -> list[tuple[CorrelationRow, EvaluatorSelection]]:
        """The rows of the table with their scores."""
        return list(zip(self.table.rows, self.evaluators, strict=True))


def make_run_part(
    results: Results, metric_key: str | None, failures: str, aggregates: Sequence[AggregateSpec]
) -> RunPart:
    """Correlate all that a report of a run shows; arguments and errors are those of :func:`correlation_table`."""
    table = correlation_table(results, metric_key, failures, aggregates)
    selection = select(results, metric_key)
    made = tuple(select_aggregate(spec, selection, table.failure_policy).selection for spec in aggregates)
    curves = None
    with suppress(UsageError):  # No ground truth, or no evaluator with a curve.
        curves = curve_table(results, metric_key, failures)
    return RunPart(results, table, selection, (*selection.evaluators, *made), curves)
