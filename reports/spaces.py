"""Evaluators over several runs: their correlations side by side, and their average ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import UsageError
from ..core.plan import EvaluatorHeader
from ..core.statistics.average_ranks import AverageRanks, compare_over_spaces
from ..core.statistics.estimates import Estimate
from ..core.statistics.ranks import average_ranks
from .correlation import CorrelationTable


@dataclass(frozen=True)
class Cell:
    """An evaluator in one run.

    Attributes:
        rho: Spearman's rho, the mean over the run seeds where there are several.
        n: Architectures that entered it.
        failures: Jobs without a score.
        rank: Among the evaluators of the run that have a correlation, 1 is best; those that tie share their average
            rank. None where undefined.
    """

    rho: Estimate
    n: int
    failures: int
    rank: float | None


@dataclass(frozen=True)
class SpacesRow:
    """An evaluator, or an aggregate, over all runs.

    Attributes:
        label: Its label; where one label stands for several definitions or settings, with what tells them apart.
        cells: One for each run, None where the run does not have it.
        average_rank: Over the runs, among the evaluators that have a correlation in every one; None for others.
    """

    label: str
    cells: tuple[Cell | None, ...]
    average_rank: float | None


@dataclass(frozen=True)
class SpacesTable:
    """Evaluators over runs.

    Attributes:
        runs: The runs, each with its own table.
        rows: In the order of the first run, then those that only later ones have.
        ranks: What the average ranks say.
        apart: Labels that stand for several definitions or settings, which are kept apart.
    """

    runs: tuple[CorrelationTable, ...]
    rows: tuple[SpacesRow, ...]
    ranks: AverageRanks
    apart: tuple[str, ...]


Identity = tuple[str, str, str]
"""Label, name and settings hash of an evaluator; of an aggregate, its components."""


def compare_runs(runs: Sequence[CorrelationTable]) -> SpacesTable:
    """Put the evaluators of several runs side by side.

    Raises:
        UsageError: A run has no ground truth.
    """
    without = next((run for run in runs if run.metric is None), None)
    if without is not None:
        raise UsageError(
            f"The run of {without.plan.space} on {without.plan.dataset} has no ground truth to compare with. Report it "
            "alone to see how its evaluators agree."
        )
    columns = [_cells(run) for run in runs]
    identities = list(dict.fromkeys(identity for column in columns for identity in column))
    rows = {identity: tuple(column.get(identity) for column in columns) for identity in identities}
    complete = [identity for identity, cells in rows.items() if all(cell and cell.rank is not None for cell in cells)]
    values = [[cell.rho.value for identity in complete if (cell := column.get(identity))] for column in columns]
    ranks = compare_over_spaces(np.array(values, dtype=np.float64).reshape(len(runs), len(complete)))
    average = dict(zip(complete, ranks.ranks, strict=True))
    labels = [identity[0] for identity in identities]
    apart = tuple(label for label in dict.fromkeys(labels) if labels.count(label) > 1)
    return SpacesTable(
        runs=tuple(runs),
        rows=tuple(
            SpacesRow(_label(identity, apart), cells, average.get(identity)) for identity, cells in rows.items()
        ),
        ranks=ranks,
        apart=apart,
    )


def _cells(run: CorrelationTable) -> dict[Identity, Cell]:
    found = {row.label: (_identity(row.evaluator), row.rho, row.n, row.num_failures) for row in run.rows}
    for row in run.over_seeds:
        mean = Estimate() if row.spread is None else row.spread.mean
        found[row.label] = (found[row.label][0], mean, row.n, row.failures)
    known = [(identity, rho.value) for identity, rho, _, _ in found.values() if rho.value is not None]
    ranked = average_ranks(-np.array([value for _, value in known], dtype=np.float64)).tolist()
    ranks = {identity: rank for (identity, _), rank in zip(known, ranked, strict=True)}
    return {identity: Cell(rho, n, failures, ranks.get(identity)) for identity, rho, n, failures in found.values()}


def _identity(header: EvaluatorHeader) -> Identity:
    made_of = header.settings_hash or ", ".join(header.settings.get("components", ()))
    return header.label, header.name, made_of


def _label(identity: Identity, apart: Sequence[str]) -> str:
    label, _, made_of = identity
    return f"{label} ({made_of[:8]})" if label in apart else label
