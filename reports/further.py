"""Further statistics of every evaluator: how well it finds the best architectures, and other correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.planning.aggregation import AggregateSpec
from ..core.results.records import Floats
from ..core.statistics.correlation import pearson_r, weighted_tau
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.top import Retrieval, TopChoice, best_of_top, ndcg, retrieving_rate
from .contenders import find_contenders
from .samples import Sample
from .select import Selection

TOP_FRACTION = 0.1
"""Of the retrieving rate, as in Tables 8 and 9 of Li et al., NeurIPS 2021."""

TOP_K = 10
"""How many of the best scores are trained to find the best of them. Ours."""


@dataclass(frozen=True)
class FurtherRow:
    """Statistics of an evaluator or aggregate with one run seed, None where undefined; none has an interval.

    Attributes:
        label: Its label.
        seed: The run seed.
        pearson: Pearson's r of the scores themselves, always without failed jobs, which have none.
        weighted_tau: Vigna's weighted tau.
        ndcg: Normalised discounted cumulative gain.
        retrieval: Retrieving rate of the top tenth.
        best: The best architecture among the ten with the best scores; its truth as it was turned.
    """

    label: str
    seed: int
    pearson: float | None
    weighted_tau: float | None
    ndcg: float | None
    retrieval: Retrieval | None
    best: TopChoice | None


def further_rows(
    selection: Selection, aggregates: Sequence[AggregateSpec], policy: FailurePolicy
) -> tuple[FurtherRow, ...]:
    """Describe every evaluator and aggregate with every seed; nothing without a ground truth.

    Raises:
        UsageError: The results lack a component of an aggregate.
    """
    if selection.truth is None:
        return ()
    truth = selection.truth
    return tuple(
        _describe(contender.label, seed, sample, truth)
        for contender in find_contenders(selection, aggregates, policy)
        for seed, sample in zip(selection.seeds, contender.samples, strict=True)
    )


def _describe(label: str, seed: int, sample: Sample, truth: Floats) -> FurtherRow:
    scores, known = sample.scores, truth[sample.rows]
    scored = np.isfinite(scores)
    if not scored.any():  # All share the worst rank, from which nothing is found.
        return FurtherRow(label, seed, None, None, None, None, None)
    return FurtherRow(
        label=label,
        seed=seed,
        pearson=pearson_r(scores[scored], known[scored]),
        weighted_tau=weighted_tau(scores, known),
        ndcg=ndcg(scores, known),
        retrieval=retrieving_rate(scores, known, TOP_FRACTION),
        best=best_of_top(scores, known, TOP_K),
    )
