"""Published figures beside ours: value, interval and verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev

import numpy as np

from ..core.planning.aggregation import AggregateSpec
from ..core.reproduction.recipe import COMPARABLE, Comparison, PublishedFigure
from ..core.reproduction.searches import Found
from ..core.results.contents import Results
from ..core.results.records import Floats
from ..core.statistics.correlation import kendall_tau, spearman_rho
from ..core.statistics.estimates import (
    FEWEST_FOR_INTERVAL,
    Estimate,
    bootstrapped,
    estimate_rho,
    estimate_tau,
    interval_quantile,
)
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.resampling import Resampling
from ..core.statistics.top import retrieving_rate
from .aggregates import Statistic
from .contenders import Contender, find_contenders
from .seeds import spread_of
from .select import EvaluatorSelection, Selection, select

NO_INTERVAL = "no interval"
NO_GROUND_TRUTH = "there is no ground truth here"
EVERY_JOB_FAILED = "every job failed"
NOTHING_FOUND = "no search found an architecture with a score"

FEW_AT_THE_TOP = 5
"""A share among fewer architectures has no interval: it can take a few values only, and a resample has them twice."""


@dataclass(frozen=True)
class Reproduced:
    """A published figure and what was found here.

    Attributes:
        comparison: The part of the recipe.
        figure: The published figure.
        ours: The figure made here with its interval, undefined where there is none.
        deviation: Sample standard deviation over run seeds, None for a single seed.
        n: Architectures behind it.
        seeds: Run seeds behind it.
        why_not: Why there is none, or why it cannot be compared; empty if it can.
        why_undefined: Why what was computed has no such figure, empty if it has.
        failures: Jobs, or evaluations of searches, without a score, by what became of them.
        dataset: The image set that was taken, empty where nothing was computed.
        metric: The ground truth that it was compared with, empty where there is none.
    """

    comparison: Comparison
    figure: PublishedFigure
    ours: Estimate = field(default_factory=Estimate)
    deviation: float | None = None
    n: int = 0
    seeds: int = 0
    why_not: str = ""
    why_undefined: str = ""
    failures: Mapping[str, int] = field(default_factory=dict)
    dataset: str = ""
    metric: str = ""

    @property
    def difference(self) -> float | None:
        """Return ours less the published figure, None if either is unknown."""
        if self.ours.value is None or self.figure.value is None:
            return None
        return self.ours.value - self.figure.value

    @property
    def without_scores(self) -> bool:
        """Whether it was computed, and nothing got a score."""
        return self.why_undefined in (EVERY_JOB_FAILED, NOTHING_FOUND)

    @property
    def verdict(self) -> str:
        """Say in words how the two compare."""
        if self.figure.value is None:
            return "unreadable there"
        if self.why_not:
            return "not comparable"
        if self.difference is None:
            return "no figure here"
        if self.ours.low is None or self.ours.high is None:
            return self._no_interval
        if self.ours.low <= self.figure.value <= self.ours.high:
            return "agrees"
        return f"differs by {self.difference:+z.2f}"

    @property
    def _no_interval(self) -> str:
        if self.figure.statistic == "found":
            return "one seed only"
        few = self.figure.statistic == "retrieval" and _few_at_the_top(self.figure, self.n)
        return "too few architectures" if few or self.n < FEWEST_FOR_INTERVAL else NO_INTERVAL


def reproduce_figures(
    comparison: Comparison,
    results: Sequence[Results],
    left_out: Mapping[str, str],
    aggregates: Sequence[AggregateSpec] = (),
) -> list[Reproduced]:
    """Make the figures of one part of a recipe from its results.

    Args:
        comparison: The part.
        results: One for each run seed, over the same architectures.
        left_out: Why an evaluator was not run, by what the recipe calls it.
        aggregates: Those among the evaluators.
    """
    selections = [select(part) for part in results]
    return [
        Reproduced(comparison, figure, why_not=left_out[figure.evaluator])
        if figure.evaluator in left_out
        else _reproduce(Reproduced(comparison, figure, dataset=results[0].plan.dataset), selections, aggregates)
        for figure in comparison.figures
    ]


def reproduce_found(comparison: Comparison, figure: PublishedFigure, found: Found) -> Reproduced:
    """Make a figure of searches: the mean over seeds, with an interval of Student's t.

    Args:
        comparison: The part of the recipe.
        figure: One of its figures.
        found: What the searches found.
    """
    made = Reproduced(
        comparison, figure, n=found.evaluations, seeds=len(found.values), dataset=found.dataset, metric=found.metric,
        failures={"without a score": found.failures} if found.failures else {},
    )  # fmt: skip
    if found.nothing:
        return replace(made, why_undefined=NOTHING_FOUND)
    values = np.array(found.values, dtype=np.float64)
    known = values[~np.isnan(values)]
    if not known.size:
        return replace(made, why_not=NO_GROUND_TRUTH)
    mean, seeds = float(known.mean()), int(known.size)
    if seeds == 1:
        return replace(made, ours=Estimate(mean), seeds=1)
    deviation = float(known.std(ddof=1))
    half = interval_quantile(seeds - 1) * deviation / math.sqrt(seeds)
    return replace(made, ours=Estimate(mean, mean - half, mean + half), deviation=deviation, seeds=seeds)


def _reproduce(made: Reproduced, selections: Sequence[Selection], aggregates: Sequence[AggregateSpec]) -> Reproduced:
    figure = made.figure
    contender = _contender(figure.evaluator, selections, aggregates)
    made = replace(made, seeds=len(selections), failures=_failures(contender.parts))
    if figure.statistic not in COMPARABLE:
        return _cost(made, contender.parts)
    truth, column = selections[0].truth, selections[0].column
    if truth is None or column is None:
        return replace(made, why_not=NO_GROUND_TRUTH)
    made = replace(made, n=int(contender.rows.sum()), metric=column.metric.key)
    if made.n == 0:
        return replace(made, why_not="no job is done")
    if not any(part.ok.any() for part in contender.parts):
        return replace(made, why_undefined=EVERY_JOB_FAILED)
    estimate, deviation = _estimate(figure, contender, truth)
    why_undefined = "scores or ground truth are constant" if estimate.value is None else ""
    return replace(made, ours=estimate, deviation=deviation, why_undefined=why_undefined)


def _failures(parts: Sequence[EvaluatorSelection]) -> dict[str, int]:
    """Return how many jobs ended without a score, by status, of all run seeds."""
    counts = Counter[str]()
    for part in parts:
        counts.update({str(status): count for status, count in part.failures.items()})
    return dict(counts)


def _contender(name: str, selections: Sequence[Selection], aggregates: Sequence[AggregateSpec]) -> Contender:
    """Return an evaluator or an aggregate with its run seeds, each of which has a selection of its own."""
    specs = [spec for spec in aggregates if spec.label == name]
    of_seeds = [
        next(each for each in find_contenders(selection, specs, FailurePolicy.WORST) if each.label == name)
        for selection in selections
    ]
    return Contender(
        name,
        tuple(part for each in of_seeds for part in each.parts),
        tuple(sample for each in of_seeds for sample in each.samples),
        tuple(made for each in of_seeds for made in each.made),
    )


def _estimate(figure: PublishedFigure, contender: Contender, truth: Floats) -> tuple[Estimate, float | None]:
    """Return the figure with its interval, and the deviation over seeds if there are several."""
    if len(contender.parts) > 1:
        return _over_seeds(figure, contender, truth)
    (sample,) = contender.samples
    known = truth[sample.rows]
    if figure.statistic == "tau" and contender.made:
        return Estimate(kendall_tau(sample.scores, known)), None
    if figure.statistic == "tau":
        return estimate_tau(sample.scores, known), None
    if figure.statistic == "retrieval" and _few_at_the_top(figure, sample.size):
        return Estimate(_statistic(figure)(sample.scores, known)), None
    if contender.made:
        return contender.made[0].estimate(_statistic(figure), sample, truth, Resampling()), None
    if figure.statistic == "rho":
        return estimate_rho([sample.scores], known, Resampling())[0], None
    return _retrieval(_statistic(figure), sample.scores, known), None


def _statistic(figure: PublishedFigure) -> Statistic:
    if figure.statistic == "rho":
        return spearman_rho
    if figure.statistic == "tau":
        return kendall_tau

    def rate(scores: Floats, truth: Floats) -> float | None:
        found = retrieving_rate(scores, truth, (figure.top or 0) / 100)
        return None if found is None else found.rate

    return rate


def _few_at_the_top(figure: PublishedFigure, n: int) -> bool:
    return (figure.top or 0) / 100 * n < FEW_AT_THE_TOP


def _over_seeds(figure: PublishedFigure, contender: Contender, truth: Floats) -> tuple[Estimate, float | None]:
    if figure.statistic == "rho":
        spread = spread_of(contender, truth, Resampling())
        return (Estimate(), None) if spread is None else (spread.mean, spread.deviation)
    rows, statistic = contender.rows, _statistic(figure)
    values = [statistic(sample.among(rows), truth[rows]) for sample in contender.samples]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return Estimate(), None
    return Estimate(fmean(known)), stdev(known)


def _retrieval(rate: Statistic, scores: Floats, truth: Floats) -> Estimate:
    value = rate(scores, truth)
    if value is None:
        return Estimate()
    resampled = [rate(scores[items], truth[items]) for drawn in Resampling().draws(truth.size) for items in drawn]
    rates = np.array([np.nan if each is None else each for each in resampled])
    return bootstrapped(value, rates, truth.size)


def _cost(made: Reproduced, parts: Sequence[EvaluatorSelection]) -> Reproduced:
    """Return what a training step or a job costs here; the hardware is another one."""
    part = parts[0]
    # A GPU's work is on the clock only.
    seconds = part.ok_processor_seconds if part.ok_processor_seconds.size else part.ok_seconds
    values = part.ok_peak_memory / 1e6 if made.figure.statistic == "memory" else seconds / _steps(part)
    ours = Estimate(float(np.median(values))) if values.size else Estimate()
    why_undefined = EVERY_JOB_FAILED if part.done.any() and not part.ok.any() else ""
    other = "measured on other hardware"
    return replace(made, ours=ours, n=int(values.size), seeds=1, why_not=other, why_undefined=why_undefined)


def _steps(part: EvaluatorSelection) -> int:
    return int(part.evaluator.settings.get("iterations", 1))
