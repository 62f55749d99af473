"""A run as a report treats it: its table, and what charts show besides."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..core.errors import UsageError
from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from ..core.results.records import Floats
from ..core.statistics.estimates import Estimate
from .aggregates import select_aggregate
from .correlation import CorrelationRow, CorrelationTable
from .curves import CurveTable, curve_table
from .select import EvaluatorSelection, Selection, select


@dataclass(frozen=True)
class Entry:
    """An evaluator or aggregate in charts, with all its run seeds.

    Attributes:
        label: Its label.
        rho: Spearman's rho; with several seeds their mean, with an interval over architectures and seeds.
        n: Architectures that entered it.
        failures: Jobs without a score, over all seeds.
        note: Why rho is undefined, empty if it is not.
        rows: One for each seed.
        scored: Scores with each seed.
    """

    label: str
    rho: Estimate
    n: int
    failures: int
    note: str
    rows: tuple[CorrelationRow, ...]
    scored: tuple[EvaluatorSelection, ...]

    @property
    def on_processors(self) -> bool:
        """Whether seconds are those on processors; by the clock if not."""
        return any(row.median_processor_seconds is not None for row in self.rows)

    @property
    def seconds(self) -> Floats:
        """Seconds of the jobs with a score, of all seeds, as far as they are known."""
        if self.on_processors:
            return np.concatenate([each.ok_processor_seconds for each in self.scored])
        seconds = np.concatenate([each.ok_seconds for each in self.scored])
        return seconds[seconds > 0]

    @property
    def peak_memory(self) -> Floats:
        """Bytes by which memory rose during the jobs with a score, of all seeds, as far as that is known."""
        return np.concatenate([each.ok_peak_memory for each in self.scored])


@dataclass(frozen=True)
class RunPart:
    """A run with all that is compared in it.

    Attributes:
        results: Contents of its file.
        table: The correlations.
        selection: Scores and ground truth, higher is better.
        entries: Evaluators, then aggregates, in the order of the table.
        curves: Correlations along curves, None if no evaluator has one.
        order: Labels of all evaluators of the report, whose places give them their colours.
    """

    results: Results
    table: CorrelationTable
    selection: Selection
    entries: tuple[Entry, ...]
    curves: CurveTable | None
    order: tuple[str, ...]

    @cached_property
    def arch_ids(self) -> tuple[str, ...]:
        """The architectures that are compared, in the order of the scores."""
        column = self.selection.column
        if column is None:
            return self.results.arch_ids
        known = ~np.isnan(np.asarray(column.values, dtype=np.float64))
        return tuple(arch_id for arch_id, is_known in zip(self.results.arch_ids, known, strict=True) if is_known)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The run seeds."""
        return self.table.plan.seeds


def make_run_part(
    results: Results,
    table: CorrelationTable,
    metric_key: str | None,
    aggregates: Sequence[AggregateSpec],
    order: Sequence[str],
) -> RunPart:
    """Gather what a report of a run shows besides its table.

    Args:
        results: Contents of a results file.
        table: What :func:`correlation_table` made of it.
        metric_key: As it was given for the table.
        aggregates: Likewise.
        order: Labels of all evaluators of the report.
    """
    selection = select(results, metric_key)
    made = [
        select_aggregate(spec, selection, table.failure_policy, seed).selection
        for spec in aggregates
        for seed in selection.seeds
    ]
    curves = None
    with suppress(UsageError):  # No ground truth, or no evaluator with a curve.
        curves = curve_table(results, metric_key, table.failure_policy)
    entries = _entries(table, (*selection.evaluators, *made))
    return RunPart(results, table, selection, entries, curves, tuple(order))


def labels_of(tables: Sequence[CorrelationTable]) -> tuple[str, ...]:
    """Return the labels of the evaluators and aggregates of tables, each once."""
    return tuple(dict.fromkeys(row.label for table in tables for row in table.rows))


def _entries(table: CorrelationTable, scored: Sequence[EvaluatorSelection]) -> tuple[Entry, ...]:
    pairs = list(zip(table.rows, scored, strict=True))
    return tuple(_entry(table, [pair for pair in pairs if pair[0].label == label]) for label in labels_of([table]))


def _entry(table: CorrelationTable, pairs: Sequence[tuple[CorrelationRow, EvaluatorSelection]]) -> Entry:
    rows, scored = tuple(row for row, _ in pairs), tuple(each for _, each in pairs)
    first = rows[0]
    over = next((each for each in table.over_seeds if each.label == first.label), None)
    if over is None:
        return Entry(first.label, first.rho, first.n, first.num_failures, first.note, rows, scored)
    mean = Estimate() if over.spread is None else over.spread.mean
    return Entry(first.label, mean, over.n, over.failures, over.note, rows, scored)
