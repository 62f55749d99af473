"""Finds the costs that a user names: evaluators first, then metrics of the space's table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..domain import Metric
from ..errors import UsageError, closest_matches
from ..plan import EvaluatorSpec
from ..planning.aggregation import refuse_aggregate
from ..planning.evaluators import EvaluatorFactory
from ..planning.metric_names import find_metric, is_metric
from ..planning.spellings import parse_evaluator_spelling
from .costs import Cost


@dataclass(frozen=True)
class PlannedCosts:
    """The costs of a search.

    Attributes:
        costs: Each once; those that are minimised first, in the user's order.
        evaluators: What those that are evaluators are created with.
    """

    costs: tuple[Cost, ...]
    evaluators: tuple[EvaluatorSpec, ...]


def plan_costs(
    limits: Sequence[tuple[str, float]],
    minimize: Sequence[str],
    factory: EvaluatorFactory,
    metrics: Sequence[Metric],
) -> PlannedCosts:
    """Find what is to be limited and minimised; one cost may be both.

    Args:
        limits: Names and limits.
        minimize: Names.
        factory: Makes evaluators.
        metrics: What the space's table has.

    Raises:
        UsageError: A name is unknown or given twice, or a limit is no positive number.
    """
    found: dict[tuple[str, str], Cost] = {}
    evaluators: list[EvaluatorSpec] = []

    def find(text: str) -> Cost:
        evaluator, metric = _find(text, factory, metrics)
        evaluators.extend([evaluator] if evaluator else [])
        return Cost(evaluator.header if evaluator else None, metric, limit=None, minimized=False)

    for text in minimize:
        cost = replace(find(text), minimized=True)
        if cost.identity in found:
            raise UsageError(f"The cost '{text}' is to be minimised twice. Name it once.")
        found[cost.identity] = cost
    for text, limit in limits:
        _check_limit(text, limit)
        cost = find(text)
        cost = found.get(cost.identity, cost)
        if cost.limit is not None:
            raise UsageError(f"The cost '{text}' has two limits, {cost.limit:.10g} and {limit:.10g}. Give one.")
        found[cost.identity] = replace(cost, limit=float(limit))
    return PlannedCosts(tuple(found.values()), tuple(evaluators))


def _check_limit(text: str, limit: float) -> None:
    if not (math.isfinite(limit) and limit > 0):
        raise UsageError(f"The limit of '{text}' must be a finite number above 0, got {limit:g}.")


def _find(
    text: str, factory: EvaluatorFactory, metrics: Sequence[Metric]
) -> tuple[EvaluatorSpec | None, Metric | None]:
    """Return the evaluator that a text names, or else the metric."""
    refuse_aggregate(text, "have as a cost", factory.plugins)
    evaluators = factory.plugins.evaluators()
    if parse_evaluator_spelling(text, factory.plugins).name in evaluators:
        return factory.make(text), None
    if not is_metric(text, metrics):
        known = [*evaluators, *(metric.key for metric in metrics)]
        raise UsageError(
            f"Unknown cost '{text}'. {closest_matches(text, known)}A cost is an evaluator ('nasbench evaluators' "
            f"lists them) or a metric of the space's table: {', '.join(metric.key for metric in metrics) or 'none'}."
        )
    return None, find_metric(text, metrics, factory.dataset.name)
