"""The correlation table: how well each evaluator ranks architectures, and how evaluators agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from statistics import fmean

import numpy as np

from ..core.domain import Metric, Status
from ..core.plan import EvaluatorHeader, PlanHeader
from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from ..core.results.records import Floats
from ..core.statistics.arrays import is_constant
from ..core.statistics.correlation import spearman_rho
from ..core.statistics.estimates import (
    FEWEST_FOR_INTERVAL,
    LEVEL,
    Estimate,
    estimate_tau,
)
from ..core.statistics.failures import FailurePolicy, count_ties
from ..core.statistics.resampling import Resampling
from .aggregates import LARGEST_RESAMPLED, select_aggregate
from .contenders import Contender, find_contenders
from .further import FurtherRow, further_rows
from .samples import Sample, estimate_samples
from .seeds import SeedsRow, seed_rows
from .select import EvaluatorSelection, Selection, select

NO_GROUND_TRUTH = "no ground truth"


@dataclass(frozen=True)
class CorrelationRow:
    """One evaluator with one run seed against the ground truth.

    Every count is over the architectures with a known ground truth, or over all if the file has none.

    Attributes:
        evaluator: What the evaluator was; `label` names it in the file.
        seed: The run seed.
        rho: Spearman's rho.
        tau: Kendall's tau-b; an aggregate's has no interval.
        n: Architectures that entered both: all finished jobs, or the ok ones if failures are omitted.
        other_rho: Spearman's rho under the other failure policy, the same where nothing failed.
        other_n: Architectures that entered it.
        failures: Number of jobs by status, for the failure statuses that occur.
        ties: Architectures that share their score with another; failures are not among them.
        median_seconds: Median wall-clock seconds of the ok jobs, None if there are none.
        median_processor_seconds: Median seconds on processors of the ok jobs, None if they are not known.
        median_peak_memory: Median of the bytes by which memory rose during the ok jobs, None if that is not known.
        saved_seconds: Seconds of all jobs that another one spent on what it shares with them, part of the former two.
        pending: Jobs that have not been done.
        note: Why a correlation or interval is undefined, empty if it is not.
        components: Labels of the evaluators whose ranks an aggregate is made of; empty for an evaluator.
        figures: What the literature prints for an aggregate besides, by description.
    """

    evaluator: EvaluatorHeader
    seed: int
    rho: Estimate
    tau: Estimate
    n: int
    other_rho: Estimate
    other_n: int
    failures: Mapping[Status, int]
    ties: int
    median_seconds: float | None
    median_processor_seconds: float | None
    median_peak_memory: float | None
    saved_seconds: float
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
        rho: None where undefined; the mean over run seeds.
        n: Number of architectures; the fewest of a run seed.
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
        level: Share of samples whose interval is to contain the true value.
        bootstrap_seed: Seed of the resamples.
        rows: One for each evaluator and run seed, in the order of the file, then one for each aggregate and seed.
        over_seeds: One for each evaluator and aggregate where there are several seeds.
        further: Further statistics of each of `rows`; empty unless they were asked for.
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
    over_seeds: tuple[SeedsRow, ...]
    further: tuple[FurtherRow, ...]
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
    *,
    further: bool = False,
) -> CorrelationTable:
    """Correlate every evaluator and aggregate with the ground truth, and the evaluators with each other.

    Args:
        results: Contents of a results file.
        metric_key: Such as `cifar10/test_accuracy@200`; None takes the first metric of the file.
        failures: What becomes of architectures whose job failed, a value of `FailurePolicy`.
        aggregates: What to make of the evaluators' ranks among the architectures that are compared. For their intervals
            they are made again in each resample.
        further: Whether to add further statistics, which have no intervals.

    Raises:
        UsageError: The file does not have this metric, or lacks a component of an aggregate.
        ValueError: There is no such policy.
    """
    policy, resampling = FailurePolicy(failures), Resampling()
    selection = select(results, metric_key)
    column = selection.column
    rows = _correlate_evaluators(selection, policy, resampling)
    rows += [
        _correlate_aggregate(spec, selection, policy, resampling, seed)
        for spec in aggregates
        for seed in selection.seeds
    ]
    return CorrelationTable(
        plan=results.plan,
        plan_id=results.plan_id,
        metric=column.metric if column else None,
        noise_ceiling=column.noise_ceiling if column else None,
        truth_source=column.source if column else "",
        num_architectures=len(results.arch_ids),
        num_without_truth=selection.num_without_truth,
        failure_policy=policy,
        resamples=resampling.resamples,
        level=LEVEL,
        bootstrap_seed=resampling.seed,
        rows=tuple(rows),
        over_seeds=seed_rows(selection, aggregates, policy, resampling),
        further=further_rows(selection, aggregates, policy) if further else (),
        pairwise=_correlate_pairs(selection, policy),
    )


def _correlate_evaluators(selection: Selection, policy: FailurePolicy, resampling: Resampling) -> list[CorrelationRow]:
    parts = selection.evaluators
    samples, others = ([Sample.of(part, each) for part in parts] for each in (policy, policy.other))
    if selection.truth is None:
        none = Estimate()
        return [_describe(*each, none, none) for each in zip(parts, samples, others, strict=True)]
    estimates = estimate_samples([*samples, *others], selection.truth, resampling)
    return [
        _describe(part, sample, other, rho, other_rho, selection.truth)
        for part, sample, other, rho, other_rho in zip(
            parts, samples, others, estimates[: len(parts)], estimates[len(parts) :], strict=True
        )
    ]


def _correlate_aggregate(
    spec: AggregateSpec, selection: Selection, policy: FailurePolicy, resampling: Resampling, seed: int
) -> CorrelationRow:
    made, other = (select_aggregate(spec, selection, each, seed) for each in (policy, policy.other))
    samples = [Sample.of(each.selection, own) for each, own in ((made, policy), (other, policy.other))]
    estimates = [Estimate(), Estimate()]
    if selection.truth is not None:
        estimates = [
            each.estimate(spearman_rho, sample, selection.truth, resampling)
            for each, sample in zip((made, other), samples, strict=True)
        ]
    row = _describe(made.selection, samples[0], samples[1], estimates[0], estimates[1], selection.truth)
    return replace(row, tau=Estimate(row.tau.value), components=made.components, figures=made.figures)


def _describe(
    part: EvaluatorSelection, sample: Sample, other: Sample, rho: Estimate, other_rho: Estimate,
    truth: Floats | None = None,
) -> CorrelationRow:  # fmt: skip
    """Describe an evaluator, its sample under the policy of the table and that under the other one."""
    return CorrelationRow(
        evaluator=part.evaluator,
        seed=part.seed,
        rho=rho,
        tau=Estimate() if truth is None else estimate_tau(sample.scores, truth[sample.rows]),
        n=sample.size,
        other_rho=other_rho,
        other_n=other.size,
        failures=part.failures,
        ties=count_ties(part.scores[part.ok]),
        median_seconds=_median(part.ok_seconds),
        median_processor_seconds=_median(part.ok_processor_seconds),
        median_peak_memory=_median(part.ok_peak_memory),
        saved_seconds=float(part.records.saved_seconds.sum()),
        pending=int((~part.done).sum()),
        note=NO_GROUND_TRUTH if truth is None else _note(rho, sample, part),
    )


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if values.size else None


def _note(rho: Estimate, sample: Sample, part: EvaluatorSelection) -> str:
    """Say why a correlation or its interval is undefined; rho and tau always are so together."""
    if rho.low is not None:
        return ""
    if rho.value is not None and sample.size < FEWEST_FOR_INTERVAL:
        return f"no interval (fewer than {FEWEST_FOR_INTERVAL} architectures)"
    if rho.value is not None and sample.size > LARGEST_RESAMPLED:
        return f"no interval (an aggregate of more than {LARGEST_RESAMPLED:,} architectures)"
    if rho.value is not None:
        return "no interval (too many constant resamples)"
    if part.done.any() and not part.ok.any():
        return "undefined (every job failed)"
    if sample.size < 2:
        return "undefined (fewer than 2 architectures)"
    if is_constant(sample.scores):
        return "undefined (constant score)"
    return "undefined (constant ground truth)"


def _correlate_pairs(selection: Selection, policy: FailurePolicy) -> tuple[PairwiseRow, ...]:
    pairs = combinations(find_contenders(selection, (), policy), 2)
    return tuple(_correlate_pair(first, second) for first, second in pairs)


def _correlate_pair(first: Contender, second: Contender) -> PairwiseRow:
    both = [one.rows & other.rows for one, other in zip(first.samples, second.samples, strict=True)]
    rho = [
        spearman_rho(one.among(rows), other.among(rows))
        for one, other, rows in zip(first.samples, second.samples, both, strict=True)
    ]
    known = [value for value in rho if value is not None]
    mean = fmean(known) if len(known) == len(rho) else None
    return PairwiseRow(first.label, second.label, mean, min(int(rows.sum()) for rows in both))
