"""What a recipe needs to be run: one plan for each of its parts and seeds, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..domain import Status
from ..errors import UsageError
from ..plan import Plan
from ..planning.datasets import choose_dataset
from ..planning.evaluators import EvaluatorFactory
from ..planning.requests import RunRequest, make_plan
from ..plugin_manager import PluginManager
from ..results.contents import Results
from .recipe import Comparison

MEASURED_ARCHITECTURES = 2
"""On how many the time that a run will take is measured before."""


@dataclass(frozen=True)
class Scale:
    """How much of a publication's work is done.

    Attributes:
        samples: Architectures of each part, None for as many as the publication has.
        seeds: Run seeds, None for as many as the publication has.
        first_seed: The first of them.
    """

    samples: int | None
    seeds: int | None
    first_seed: int = 0


def plans_of(
    comparison: Comparison, evaluators: Sequence[str], scale: Scale, seeds: int, plugins: PluginManager
) -> list[Plan]:
    """Return one plan for each run seed, all of them of the same architectures.

    Args:
        comparison: The part of the recipe.
        evaluators: Which of its evaluators to run.
        scale: How much of it.
        seeds: How many seeds the publication has.
        plugins: What is installed.

    Raises:
        UsageError: The space, its images or an evaluator are not here, or do not fit.
    """
    request = RunRequest(
        comparison.space, tuple(evaluators), comparison.dataset, samples=scale.samples or comparison.samples,
        seed=scale.first_seed, metric=comparison.metric,
    )  # fmt: skip
    first = make_plan(request, plugins)
    return [
        replace(first, header=replace(first.header, seed=scale.first_seed + offset))
        for offset in range(scale.seeds or seeds)
    ]


def first_architectures(plan: Plan) -> Plan:
    """Return the plan of the few architectures on which time is measured."""
    columns = tuple(replace(column, values=column.values[:MEASURED_ARCHITECTURES]) for column in plan.ground_truth)
    return replace(plan, arch_ids=plan.arch_ids[:MEASURED_ARCHITECTURES], ground_truth=columns)


def unusable(comparison: Comparison, evaluators: Sequence[str], plugins: PluginManager) -> dict[str, str]:
    """Return why evaluators cannot be run here, by what the recipe calls them.

    Raises:
        UsageError: The space or its images are not here.
    """
    space = plugins.search_space(comparison.space).info
    factory = EvaluatorFactory(space, choose_dataset(space, comparison.dataset, None, plugins), plugins)
    reasons = {}
    for text in evaluators:
        try:
            factory.make_all((text,))
        except UsageError as error:
            reasons[text] = str(error)
    return reasons


@dataclass(frozen=True)
class Forecast:
    """How long the evaluators of a plan will take.

    Attributes:
        minutes: By label, all architectures and seeds, with the workers that there are.
        too_long: Why some are left out, by label.
    """

    minutes: Mapping[str, float]
    too_long: Mapping[str, str]


def forecast(measured: Results, jobs: int, workers: int, limit: float) -> Forecast:
    """Tell from a few architectures how long all will take.

    Args:
        measured: What evaluators took for a few.
        jobs: Architectures times run seeds.
        workers: Worker processes.
        limit: Minutes that one evaluator may take.
    """
    minutes, too_long = {}, {}
    for part in measured.evaluators:
        label = part.header.label
        minutes[label] = float(part.records.total_seconds.mean()) * jobs / workers / 60
        timed_out = any(record.status is Status.TIMEOUT for record in part.records)
        if timed_out or minutes[label] > limit:
            at_least = "more than " if timed_out else ""
            too_long[label] = f"it would take {at_least}{minutes[label]:,.0f} minutes here (--minutes)"
    return Forecast(minutes, too_long)
