"""The scores of a results file, one row an architecture, for ``nasbench inspect --scores``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.documents.document import Document
from ..core.documents.records import make_grid
from ..core.domain import Direction
from ..core.errors import UsageError, closest_matches
from ..core.plan import GroundTruthColumn, with_seed
from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from ..core.statistics.failures import FailurePolicy
from .aggregates import select_aggregate
from .select import choose_metric, select_all

ALL_METRICS = "all"

ARCHITECTURE = "architecture"
GIVEN = "given"
"""What columns of architectures are called: as the toolkit spells them, and as the user does."""

COLUMNS_AT_ONCE = 4
"""Beside the architecture; fewer where their names are wide."""


@dataclass(frozen=True)
class ScoreColumn:
    """What is known of every architecture in one respect.

    Attributes:
        name: Key of a metric, or label of an evaluator or aggregate.
        direction: Which end is the good one.
        values: One for each architecture, NaN where there is none.
    """

    name: str
    direction: Direction
    values: Sequence[float]

    @property
    def heading(self) -> str:
        """Name and direction."""
        better = "higher" if self.direction is Direction.MAXIMIZE else "lower"
        return f"{self.name} ({better} is better)"


def score_document(
    results: Results,
    aggregates: Sequence[AggregateSpec] = (),
    metrics: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
    spelled: Mapping[str, Sequence[str]] | None = None,
) -> Document:
    """Describe one row an architecture: metrics, scores and aggregates, as they are stored, with their directions.

    Args:
        results: Contents of a results file.
        aggregates: Aggregates to show beside the evaluators.
        metrics: Ground truth to show, ``all`` for all; the first of the file if none is named.
        sort: Column to sort by, best first; an architecture without value comes last.
        top: How many rows, all if None; sorted by the first score unless ``sort`` says otherwise.
        spelled: The user's spellings by canonical string: one row for each, and none for architectures without one.

    Raises:
        UsageError: There is no such metric or column.
    """
    truth, scores = _metric_columns(results, metrics), _score_columns(results, aggregates)
    columns = [*truth, *scores]
    order = list(range(len(results.arch_ids)))
    if sort is not None or top is not None:
        order = _best_first(columns[len(truth)] if sort is None else _find(sort, columns))
    rows = [
        names | {column.name: _known(column.values[row]) for column in columns}
        for row in order
        for names in _names(results.arch_ids[row], spelled)
    ][:top]
    headings = {GIVEN: GIVEN, ARCHITECTURE: ARCHITECTURE} | {column.name: column.heading for column in columns}
    records = [{headings[name]: value for name, value in row.items()} for row in rows]
    grid = replace(make_grid(rows), columns_at_once=COLUMNS_AT_ONCE)
    return Document(blocks=(grid,), records=records, content=records, notes=_notes(columns))


def _names(arch_id: str, spelled: Mapping[str, Sequence[str]] | None) -> list[dict[str, str | float | None]]:
    if spelled is None:
        return [{ARCHITECTURE: arch_id}]
    return [{GIVEN: text, ARCHITECTURE: arch_id} for text in spelled.get(arch_id, ())]


def _notes(columns: Sequence[ScoreColumn]) -> list[str]:
    lower = [column.name for column in columns if column.direction is Direction.MINIMIZE]
    if not lower:
        return ["Higher is better in every column."]
    return [f"Lower is better for {', '.join(lower)}; higher for all others."]


def _metric_columns(results: Results, names: Sequence[str]) -> list[ScoreColumn]:
    chosen: list[GroundTruthColumn | None] = (
        [*results.ground_truth]
        if ALL_METRICS in names
        else [choose_metric(results, name) for name in (names or (None,))]
    )
    return [
        ScoreColumn(column.metric.key, column.metric.direction, column.values)
        for column in dict.fromkeys(chosen)
        if column is not None
    ]


def _score_columns(results: Results, aggregates: Sequence[AggregateSpec]) -> list[ScoreColumn]:
    scores = [
        ScoreColumn(results.name_of(part), part.header.direction, part.records.scores.tolist())
        for part in results.evaluators
    ]
    whole = select_all(results)
    for spec in aggregates:
        for seed in whole.seeds:
            made = select_aggregate(spec, whole, FailurePolicy.WORST, seed).selection
            name = with_seed(made.evaluator.label, seed, results.plan)
            scores.append(ScoreColumn(name, made.evaluator.direction, made.scores.tolist()))
    return scores


def _find(name: str, columns: Sequence[ScoreColumn]) -> ScoreColumn:
    for column in columns:
        if column.name == name:
            return column
    names = [column.name for column in columns]
    raise UsageError(f"No column '{name}' to sort by. {closest_matches(name, names)}There are: {', '.join(names)}.")


def _best_first(column: ScoreColumn) -> list[int]:
    def badness(row: int) -> tuple[bool, float]:
        value = column.values[row]
        return math.isnan(value), 0.0 if math.isnan(value) else -column.direction.sign * value

    return sorted(range(len(column.values)), key=badness)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
