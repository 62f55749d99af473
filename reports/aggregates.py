"""Scores that exist only within a cohort, made of the ranks of the architectures that a report compares."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.domain import Direction, Status
from ..core.errors import PluginError
from ..core.metrics import FailurePolicy
from ..core.plan import EvaluatorHeader
from ..core.planning.aggregation import AggregateSpec, match_components
from ..core.plugin_manager import PluginWarning
from ..core.results.records import CODES, OK, PENDING_CODE, Codes, Floats, Mask, Records
from .select import EvaluatorSelection, Selection


@dataclass(frozen=True)
class AggregateSelection:
    """An aggregate as a report treats an evaluator.

    Attributes:
        selection: Its scores, higher is better.
        components: Labels of the evaluators that it is made of.
        figures: What the literature prints for it besides, by description; empty without a ground truth.
    """

    selection: EvaluatorSelection
    components: tuple[str, ...]
    figures: Mapping[str, float]


def select_aggregate(spec: AggregateSpec, selection: Selection, policy: FailurePolicy) -> AggregateSelection:
    """Make an aggregate of the architectures whose every component is done.

    An architecture without a component's score shares that component's worst rank, or is left out, as ``policy`` says;
    one without any score has no aggregate. A fault of its plugin is a warning, and then none has one.

    Raises:
        UsageError: The results lack a component.
    """
    headers = [part.evaluator for part in selection.evaluators]
    positions = match_components(spec, [header.label for header in headers], [header.name for header in headers])
    parts = [selection.evaluators[position] for position in positions]
    statuses = _combined_statuses([part.records for part in parts], policy)
    ok = statuses == OK
    scores, figures = np.full(ok.shape, np.nan), dict[str, float]()
    if ok.any():
        try:
            scores[ok], figures = _combine(spec, [part.scores[ok] for part in parts], selection.truth, ok)
        except PluginError as error:
            # What others computed is still to be shown.
            warnings.warn(f"The aggregate '{spec.label}' has no scores. {error}", PluginWarning, stacklevel=2)
            statuses = np.where(ok, CODES[Status.FAILED], statuses).astype(np.uint8)
    seconds: Floats = np.sum([part.records.seconds for part in parts], axis=0)
    peak_memory: Floats = np.max([part.records.peak_memory for part in parts], axis=0)
    records = replace(
        Records.pending(len(scores)), statuses=statuses, scores=scores, seconds=seconds, peak_memory=peak_memory
    )
    combined = EvaluatorSelection(_describe(spec, headers, positions), scores, records)
    return AggregateSelection(combined, tuple(part.evaluator.label for part in parts), figures)


def _combine(
    spec: AggregateSpec, scores: Sequence[Floats], truth: Floats | None, ok: Mask
) -> tuple[Floats, dict[str, float]]:
    made, ranks = spec.provided.info.create(), cohort_ranks(scores)
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
    lowest = [np.where(np.isnan(component), -np.inf, component) for component in scores]
    # Imported here, since it takes half a second, and most reports have no aggregate.
    from scipy.stats import rankdata

    return np.stack([rankdata(component) for component in lowest])


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
