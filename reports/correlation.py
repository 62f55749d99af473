"""The correlation table: how well each evaluator ranks architectures, and how evaluators agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..core.domain import Metric, Status
from ..core.metrics import (
    BOOTSTRAP_SEED,
    LEVEL,
    RESAMPLES,
    Coefficient,
    FailurePolicy,
    apply_failure_policy,
    bootstrap_interval,
    count_ties,
    kendall_tau,
    spearman_rho,
)
from ..core.plan import EvaluatorHeader, PlanHeader
from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from .aggregates import select_aggregate
from .select import EvaluatorSelection, Selection, select

Floats = NDArray[np.float64]

NO_GROUND_TRUTH = "no ground truth"


@dataclass(frozen=True)
class Estimate:
    """A correlation with its bootstrap interval; None where undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CorrelationRow:
    """One evaluator against the ground truth.

    Every count is over the architectures with a known ground truth, or over all if the file has none.

    Attributes:
        evaluator: What the evaluator was; `label` names it in the file.
        rho: Spearman's rho.
        tau: Kendall's tau-b.
        n: Architectures that entered both: all finished jobs, or the ok ones if failures are omitted.
        failures: Number of jobs by status, for the failure statuses that occur.
        ties: Architectures that share their score with another; failures are not among them.
        median_seconds: Median wall-clock seconds of the ok jobs, None if there are none.
        median_processor_seconds: Median seconds on processors of the ok jobs, None if they are not known.
        median_peak_memory: Median of the bytes by which memory rose during the ok jobs, None if that is not known.
        pending: Jobs that have not been done.
        note: Why a correlation or interval is undefined, empty if it is not.
        components: Labels of the evaluators whose ranks an aggregate is made of; empty for an evaluator.
        figures: What the literature prints for an aggregate besides, by description.
    """

    evaluator: EvaluatorHeader
    rho: Estimate
    tau: Estimate
    n: int
    failures: Mapping[Status, int]
    ties: int
    median_seconds: float | None
    median_processor_seconds: float | None
    median_peak_memory: float | None
    pending: int
    note: str
    components: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the evaluator's label."""
        return self.evaluator.label

    @property
    def num_failures(self) -> int:
        """Return the number of failed jobs, whatever their status."""
        return sum(self.failures.values())


@dataclass(frozen=True)
class PairwiseRow:
    """Spearman's rho between two evaluators, over the architectures that both have done.

    Attributes:
        first: Label of one evaluator.
        second: Label of the other.
        rho: None where undefined.
        n: Number of architectures.
    """

    first: str
    second: str
    rho: float | None
    n: int


@dataclass(frozen=True)
class CorrelationTable:
    """All that a rendered table says.

    Attributes:
        plan: Names and seed of the run.
        plan_id: Hash of the plan.
        metric: What the ground truth measured, None if there is none.
        noise_ceiling: Rank correlation between two independent makings of the ground truth, None if unknown.
        truth_source: Where the ground truth comes from, empty if there is none.
        num_architectures: Architectures in the file.
        num_without_truth: Those of them left out because their ground truth is not known.
        failure_policy: What became of failed jobs.
        resamples: Bootstrap resamples behind each interval.
        level: Share of the resamples inside an interval.
        bootstrap_seed: Seed of the resamples.
        rows: One for each evaluator, in the order of the file, then one for each aggregate.
        pairwise: One for each pair of evaluators, in the order of the file.
    """

    plan: PlanHeader
    plan_id: str
    metric: Metric | None
    noise_ceiling: float | None
    truth_source: str
    num_architectures: int
    num_without_truth: int
    failure_policy: FailurePolicy
    resamples: int
    level: float
    bootstrap_seed: int
    rows: tuple[CorrelationRow, ...]
    pairwise: tuple[PairwiseRow, ...]

    @property
    def num_compared(self) -> int:
        """Number of architectures that a finished evaluator is compared on."""
        return self.num_architectures - self.num_without_truth


def correlation_table(
    results: Results,
    metric_key: str | None = None,
    failures: str = FailurePolicy.WORST,
    aggregates: Sequence[AggregateSpec] = (),
) -> CorrelationTable:
    """Correlate every evaluator and aggregate with the ground truth, and the evaluators with each other.

    Args:
        results: Contents of a results file.
        metric_key: Such as `cifar10/test_accuracy@200`; None takes the first metric of the file.
        failures: What becomes of architectures whose job failed, a value of `FailurePolicy`.
        aggregates: What to make of the evaluators' ranks among the architectures that are compared. Their intervals
            take these ranks as they are: they are not made again for each resample.

    Raises:
        UsageError: The file does not have this metric, or lacks a component of an aggregate.
        ValueError: There is no such policy.
    """
    policy = FailurePolicy(failures)
    selection = select(results, metric_key)
    column = selection.column
    rows = [_correlate(part, selection.truth, policy) for part in selection.evaluators]
    rows += [_correlate_aggregate(spec, selection, policy) for spec in aggregates]
    return CorrelationTable(
        plan=results.plan,
        plan_id=results.plan_id,
        metric=column.metric if column else None,
        noise_ceiling=column.noise_ceiling if column else None,
        truth_source=column.source if column else "",
        num_architectures=len(results.arch_ids),
        num_without_truth=selection.num_without_truth,
        failure_policy=policy,
        resamples=RESAMPLES,
        level=LEVEL,
        bootstrap_seed=BOOTSTRAP_SEED,
        rows=tuple(rows),
        pairwise=_correlate_pairs(selection, policy),
    )


def _correlate(part: EvaluatorSelection, truth: Floats | None, policy: FailurePolicy) -> CorrelationRow:
    scores, kept = apply_failure_policy(part.scores[part.done], part.ok[part.done], policy)
    rho, tau, note = Estimate(), Estimate(), NO_GROUND_TRUTH
    if truth is not None:
        compared_truth = truth[part.done][kept]
        rho = _estimate(Coefficient.SPEARMAN_RHO, scores, compared_truth)
        tau = _estimate(Coefficient.KENDALL_TAU, scores, compared_truth)
        note = _note(rho, scores, part)
    return CorrelationRow(
        evaluator=part.evaluator,
        rho=rho,
        tau=tau,
        n=scores.size,
        failures=part.failures,
        ties=count_ties(part.scores[part.ok]),
        median_seconds=_median(part.ok_seconds),
        median_processor_seconds=_median(part.ok_processor_seconds),
        median_peak_memory=_median(part.ok_peak_memory),
        pending=int((~part.done).sum()),
        note=note,
    )


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if values.size else None


def _correlate_aggregate(spec: AggregateSpec, selection: Selection, policy: FailurePolicy) -> CorrelationRow:
    made = select_aggregate(spec, selection, policy)
    row = _correlate(made.selection, selection.truth, policy)
    return replace(row, components=made.components, figures=made.figures)


def _estimate(coefficient: Coefficient, scores: Floats, truth: Floats) -> Estimate:
    correlate = spearman_rho if coefficient is Coefficient.SPEARMAN_RHO else kendall_tau
    value = correlate(scores, truth)
    if value is None:
        return Estimate()
    interval = bootstrap_interval(coefficient, scores, truth)
    return Estimate(value, *interval) if interval else Estimate(value)


def _note(rho: Estimate, scores: Floats, part: EvaluatorSelection) -> str:
    """Say why a correlation or its interval is undefined; rho and tau always are so together."""
    if rho.low is not None:
        return ""
    if rho.value is not None:
        return "no interval (too many constant resamples)"
    if part.done.any() and not part.ok.any():
        return "undefined (every job failed)"
    if scores.size < 2:
        return "undefined (fewer than 2 architectures)"
    if np.unique(scores).size == 1:
        return "undefined (constant score)"
    return "undefined (constant ground truth)"


def _correlate_pairs(selection: Selection, policy: FailurePolicy) -> tuple[PairwiseRow, ...]:
    return tuple(_correlate_pair(*pair, policy) for pair in combinations(selection.evaluators, 2))


def _correlate_pair(first: EvaluatorSelection, second: EvaluatorSelection, policy: FailurePolicy) -> PairwiseRow:
    both = first.done & second.done
    if policy is FailurePolicy.OMIT:
        both &= first.ok & second.ok
    first_scores, _ = apply_failure_policy(first.scores[both], first.ok[both], policy)
    second_scores, _ = apply_failure_policy(second.scores[both], second.ok[both], policy)
    rho = spearman_rho(first_scores, second_scores)
    return PairwiseRow(first.evaluator.label, second.evaluator.label, rho, int(both.sum()))
