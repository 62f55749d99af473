"""What a recipe needs to be run: one plan for each of its parts and seeds, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ..domain import Status
from ..errors import NasbenchError, UsageError
from ..plan import Plan
from ..planning.aggregation import find_aggregate
from ..planning.datasets import choose_dataset
from ..planning.evaluators import EvaluatorFactory
from ..planning.ground_truth import why_not_compared
from ..planning.requests import RunRequest, make_plan
from ..planning.spellings import parse_evaluator_spelling, parse_spelling
from ..plugin_manager import PluginManager
from ..results.contents import Results
from .recipe import Comparison, Recipe

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


def labelled(recipe: Recipe, plugins: PluginManager) -> Recipe:
    """Return a recipe whose evaluators have the labels that results give them, and one label where they are the same.

    What cannot be made here keeps the name that it has.

    Args:
        recipe: Names evaluators as users do, with settings in any order.
        plugins: What is installed.
    """
    return replace(recipe, comparisons=tuple(_label_evaluators(each, plugins) for each in recipe.comparisons))


def check_names(recipe: Recipe, plugins: PluginManager) -> None:
    """Check that all that a recipe names is installed, whether or not its data are here.

    Raises:
        UsageError: A search space, data set, evaluator or strategy is not, or has no such setting.
    """
    for number, comparison in enumerate(recipe.comparisons, start=1):
        if comparison.not_comparable:
            continue
        try:
            _check_names_of(comparison, plugins)
        except UsageError as error:
            raise UsageError(f"The recipe '{recipe.name}', comparisons {number}: {error}") from error


def _check_names_of(comparison: Comparison, plugins: PluginManager) -> None:
    plugins.search_space(comparison.space)
    if comparison.dataset is not None:
        plugins.dataset(comparison.dataset)
    for text in comparison.evaluators:
        aggregate = find_aggregate(text, plugins)
        for part in aggregate.components if aggregate else (text,):
            spelling = parse_evaluator_spelling(part, plugins)
            plugins.evaluator(spelling.name).info.parse_settings(spelling.settings)
    for figure in comparison.figures:
        if figure.strategy:
            spelling = parse_spelling(figure.strategy)
            plugins.search_strategy(spelling.name).info.parse_settings(spelling.settings)


def _label_evaluators(comparison: Comparison, plugins: PluginManager) -> Comparison:
    try:
        factory = _factory(comparison, plugins)
    except NasbenchError:
        return comparison
    labels, first = {}, dict[tuple[str, str], str]()
    for text in comparison.evaluators:
        try:
            made = None if find_aggregate(text, plugins) else factory.make(text).header
        except UsageError:
            made = None
        labels[text] = first.setdefault(made.identity, made.label) if made else text
    figures = tuple(replace(figure, evaluator=labels[figure.evaluator]) for figure in comparison.figures)
    return replace(comparison, figures=figures)


def _factory(comparison: Comparison, plugins: PluginManager) -> EvaluatorFactory:
    space = plugins.search_space(comparison.space).info
    dataset = choose_dataset(space, comparison.dataset, None, plugins)
    return EvaluatorFactory(space, dataset, plugins, comparison.metric)


def with_evaluators_of(stored: Results, plan: Plan, comparison: Comparison, plugins: PluginManager) -> Plan:
    """Return a plan with the evaluators of a file as well, first: recipes share what was computed for one of them.

    Args:
        stored: The file; evaluators of it that are not here any more, or not as they were, are left out.
        plan: What a recipe needs.
        comparison: The part of it.
        plugins: What is installed.
    """
    factory, wanted = _factory(comparison, plugins), {spec.header.identity: spec for spec in plan.evaluators}
    kept = []
    for header in stored.headers:
        if header.identity in wanted:
            kept.append(wanted.pop(header.identity))
            continue
        with suppress(UsageError):
            made = factory.make(header.label)
            if made.header.identity == header.identity:
                kept.append(made)
    aggregates = tuple(dict.fromkeys((*stored.aggregates, *plan.aggregates)))
    return replace(plan, evaluators=(*kept, *wanted.values()), aggregates=aggregates)


def missing_ground_truth(comparison: Comparison, plugins: PluginManager) -> str:
    """Return why there is nothing to compare scores with here, empty if there is.

    The default metric of a run may be of another data set, if the table that is here has nothing else. The published
    figures are of the comparison's own.

    Raises:
        UsageError: The space is not here.
    """
    info = plugins.search_space(comparison.space).info
    return why_not_compared(info, comparison.dataset if comparison.metric is None else None)


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
    factory = _factory(comparison, plugins)
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


def forecast(measured: Results, plan: Plan, seeds: int, workers: int, limit: float) -> Forecast:
    """Tell from a few architectures how long all will take.

    Args:
        measured: What evaluators took for a few; those that are not in the plan do not count.
        plan: That of one run seed.
        seeds: Run seeds.
        workers: Worker processes.
        limit: Minutes that one evaluator may take.
    """
    minutes, too_long = {}, {}
    wanted = {spec.header.identity for spec in plan.evaluators}
    jobs = len(plan.arch_ids) * seeds
    for part in measured.evaluators:
        label = part.header.label
        if part.header.identity not in wanted:
            continue
        minutes[label] = float(part.records.total_seconds.mean()) * jobs / workers / 60
        timed_out = any(record.status is Status.TIMEOUT for record in part.records)
        if timed_out or minutes[label] > limit:
            at_least = "more than " if timed_out else ""
            too_long[label] = f"it would take {at_least}{minutes[label]:,.0f} minutes here (--minutes)"
    return Forecast(minutes, too_long)
