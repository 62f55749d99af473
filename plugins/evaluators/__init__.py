"""Built-in evaluators; each family lists its own."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.descriptions import AggregateInfo, EvaluatorInfo
from ...core.hookspecs import hookimpl
from . import aggregates, gennas, trained, zero_cost


@hookimpl
def nasbench_evaluators() -> Iterator[EvaluatorInfo]:
    """Yield the built-in evaluators."""
    yield from gennas.EVALUATORS
    yield from trained.EVALUATORS
    yield from zero_cost.EVALUATORS


@hookimpl
def nasbench_aggregates() -> Iterator[AggregateInfo]:
    """Yield the built-in aggregates."""
    yield from aggregates.AGGREGATES
