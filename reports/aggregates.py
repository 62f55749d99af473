"""Scores that exist only within a cohort, made of the ranks of the architectures that a report compares."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..core.domain import Direction, Status
from ..core.errors import PluginError
from ..core.interfaces import Aggregate
from ..core.plan import EvaluatorHeader
from ..core.planning.aggregation import AggregateSpec, match_components
from ..core.plugin_manager import PluginWarning
from ..core.results.records import CODES, OK, PENDING_CODE, Codes, Floats, Mask, Records
from ..core.statistics.estimates import FEWEST_FOR_INTERVAL, Estimate, bootstrapped
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.ranks import average_ranks
from ..core.statistics.resampling import Resampling
from .samples import Sample
from .select import EvaluatorSelection, Selection

LARGEST_RESAMPLED = 20_000
"""Aggregates of more architectures are not made again in every resample: one that compares pairs would take hours."""

Statistic = Callable[[Floats, Floats], float | None]
"""Of scores and truth, both of shape `(n,)`; None where undefined."""


@dataclass(frozen=True)
class AggregateSelection:
    """An aggregate as a report treats an evaluator.

    Attributes:
        selection: Its scores, higher is better.
        components: Labels of the evaluators that it is made of.
        figures: What the literature prints for it besides, by description; empty without a ground truth.
        made: What combines ranks.
        parts: Scores of the components, higher is better, NaN where there is none; each of shape `(architectures,)`.
    """

    selection: EvaluatorSelection
    components: tuple[str, ...]
    figures: Mapping[str, float]
    made: Aggregate
    parts: tuple[Floats, ...]

    def estimate(self, statistic: Statistic, sample: Sample, truth: Floats, resampling: Resampling) -> Estimate:
        """Return a statistic with the interval of resamples in each of which the aggregate is made again.

        Args:
            statistic: Of scores and truth.
            sample: What enters it.
            truth: Higher is better, shape `(architectures,)`.
            resampling: Draws the resamples.
        """
        value = statistic(sample.scores, truth[sample.rows])
        if value is None or sample.size < FEWEST_FOR_INTERVAL:
            return Estimate(value)
        resampled = self.resampled(statistic, truth, sample.rows, resampling)
        return Estimate(value) if resampled is None else bootstrapped(value, resampled, sample.size)

    def resampled(self, statistic: Statistic, truth: Floats, rows: Mask, resampling: Resampling) -> Floats | None:
        """Return a statistic in resamples, in each of which the aggregate is made again; NaN where undefined.

        Args:
            statistic: Of scores and truth.
            truth: Higher is better, shape `(architectures,)`.
            rows: Which architectures are resampled, shape `(architectures,)`.
            resampling: Draws the resamples.

        Returns:
            Shape `(resamples,)`; None for too many architectures.
        """
        if int(rows.sum()) > LARGEST_RESAMPLED:
            return None
        cohort = _Cohort(self.made, [part[rows] for part in self.parts], self.selection.ok[rows])
        drawn_scores = cohort.resampled_scores(resampling)
        values = [statistic(scores, truth[rows][drawn]) for drawn, scores in drawn_scores]
        return np.array([np.nan if value is None else value for value in values])


@dataclass(frozen=True)
class _Cohort:
    made: Aggregate
    parts: Sequence[Floats]
    ok: Mask

    def resampled_scores(self, resampling: Resampling) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
        """Yield the items of each resample with their scores, minus infinity where there is none."""
        at_once, place = self._all_at_once(resampling), np.cumsum(self.ok) - 1
        for position, drawn in enumerate(row for rows in resampling.draws(self.ok.size) for row in rows):
            scores = np.full(drawn.size, -np.inf)
            scored = self.ok[drawn]
            if at_once is not None:
                scores[scored] = at_once[place[drawn[scored]], position]
            elif scored.any():
                scores[scored] = self._combine([part[drawn[scored]] for part in self.parts])
            yield drawn, scores

    def _combine(self, parts: Sequence[Floats]) -> Floats:
        try:
            return self.made.combine(cohort_ranks(parts))
        except PluginError:
            return np.zeros(parts[0].shape)  # a constant score: this resample has no correlation

    def _all_at_once(self, resampling: Resampling) -> Floats | None:
        """Return the scores of the items that have one in all resamples, if the aggregate makes them together."""
        if type(self.made).combine_resamples is Aggregate.combine_resamples or not self.ok.any():
            return None
        chunks = [chunk[self.ok].astype(np.float32) for chunk in resampling.counts(self.ok.size)]
        ranks = cohort_ranks([part[self.ok] for part in self.parts])
        return self.made.combine_resamples(ranks, np.concatenate(chunks, axis=1))


class _Faulty(Aggregate):
    """Stands for an aggregate that cannot be made: each use says why."""

    def __init__(self, error: PluginError) -> None:
        self._error = error

    def combine(self, ranks: Floats) -> Floats:
        """Raise what kept the aggregate from being made."""
        raise self._error


def _create(spec: AggregateSpec) -> Aggregate:
    try:
        return spec.provided.info.create()
    except PluginError as error:
        return _Faulty(error)


def select_aggregate(
    spec: AggregateSpec, selection: Selection, policy: FailurePolicy, seed: int | None = None
) -> AggregateSelection:
    """Make an aggregate of the architectures whose every component is done with a run seed, the first if None.

    An architecture without a component's score shares that component's worst rank, or is left out, as ``policy`` says;
    one without any score has no aggregate. A fault of its plugin is a warning, and then none has one.

    Raises:
        UsageError: The results lack a component.
    """
    seed = selection.seeds[0] if seed is None else seed
    evaluators = selection.of_seed(seed)
    headers = [part.evaluator for part in evaluators]
    positions = match_components(spec, headers)
    parts = [evaluators[position] for position in positions]
    made = _create(spec)
    statuses = _combined_statuses([part.records for part in parts], policy)
    ok = statuses == OK
    scores, figures = np.full(ok.shape, np.nan), dict[str, float]()
    if ok.any():
        try:
            scores[ok], figures = _combine(made, [part.scores[ok] for part in parts], selection.truth, ok)
        except PluginError as error:
            # What others computed is still to be shown.
            warnings.warn(f"The aggregate '{spec.label}' has no scores. {error}", PluginWarning, stacklevel=2)
            statuses = np.where(ok, CODES[Status.FAILED], statuses).astype(np.uint8)
    seconds: Floats = np.sum([part.records.seconds for part in parts], axis=0)
    peak_memory: Floats = np.max([part.records.peak_memory for part in parts], axis=0)
    records = replace(
        Records.pending(len(scores)), statuses=statuses, scores=scores, seconds=seconds, peak_memory=peak_memory
    )
    return AggregateSelection(
        selection=EvaluatorSelection(_describe(spec, headers, positions), seed, scores, records),
        components=tuple(part.evaluator.label for part in parts),
        figures=figures,
        made=made,
        parts=tuple(part.scores for part in parts),
    )


def _combine(
    made: Aggregate, scores: Sequence[Floats], truth: Floats | None, ok: Mask
) -> tuple[Floats, dict[str, float]]:
    ranks = cohort_ranks(scores)
    # A copy each: an aggregate may sort in place.
    combined = made.combine(ranks.copy())
    return combined, {} if truth is None else dict(made.figures(ranks.copy(), truth[ok]))


def cohort_ranks(scores: Sequence[Floats]) -> Floats:
    """Return average ranks from 1 (worst) for each component; architectures without a score (NaN) share the worst.

    Args:
        scores: One array for each component, higher is better, shape `(architectures,)`.

    Returns:
        Shape `(components, architectures)`.
    """
    return np.stack([average_ranks(np.where(np.isnan(component), -np.inf, component)) for component in scores])


def _combined_statuses(components: Sequence[Records], policy: FailurePolicy) -> Codes:
    """Return how an aggregate fares where its components fared so: one failure of theirs if it has no score."""
    statuses = np.stack([records.statuses for records in components])
    failed = statuses != OK
    enough = ~failed.any(axis=0) if policy is FailurePolicy.OMIT else ~failed.all(axis=0)
    first_failure = statuses[failed.argmax(axis=0), np.arange(statuses.shape[1])]
    pending = (statuses == PENDING_CODE).any(axis=0)
    combined: Codes = np.where(pending, PENDING_CODE, np.where(enough, OK, first_failure)).astype(np.uint8)
    return combined


def _describe(spec: AggregateSpec, headers: Sequence[EvaluatorHeader], positions: Sequence[int]) -> EvaluatorHeader:
    return EvaluatorHeader(
        label=spec.label,
        name=spec.provided.info.name,
        direction=Direction.MAXIMIZE,
        version=1,
        settings={"components": [headers[position].label for position in positions]},
        settings_hash="",
        distribution=spec.provided.distribution,
    )
