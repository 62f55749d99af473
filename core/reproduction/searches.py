"""The searches that a recipe needs: one for each figure and seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..plugin_manager import PluginManager
from ..search.outcome import SearchOutcome
from ..search.plan import SearchPlan
from ..search.planning import SearchRequest, make_search_plans
from .recipe import Comparison, PublishedFigure
from .runs import Scale


@dataclass(frozen=True)
class Found:
    """What the searches of a figure found, one for each run seed.

    Attributes:
        values: Trained performance of what each search found, NaN where it is not known.
        nothing: Whether none of them found an architecture with a score.
        failures: Evaluations without a score, of all searches.
        evaluations: Of each search.
        dataset: The image set.
        metric: Key of the ground truth, empty where there is none.
    """

    values: tuple[float, ...]
    nothing: bool
    failures: int
    evaluations: int
    dataset: str
    metric: str


_NO_LETTERS = re.compile(r"[^A-Za-z0-9]+")


def search_plans(
    comparison: Comparison, figure: PublishedFigure, scale: Scale, seeds: int, plugins: PluginManager
) -> list[SearchPlan]:
    """Return one search for each seed.

    Args:
        comparison: The part of the recipe.
        figure: Has a strategy.
        scale: How much of it; its samples are evaluations here.
        seeds: How many seeds the publication has.
        plugins: What is installed.

    Raises:
        UsageError: The space, its images, the evaluator or the strategy are not here, or do not fit.
    """
    evaluations = scale.samples or comparison.samples or SearchRequest.evaluations
    request = SearchRequest(
        comparison.space, figure.evaluator, figure.strategy, comparison.dataset, evaluations=evaluations,
        seed=scale.first_seed, seeds=scale.seeds or seeds, metric=comparison.metric,
    )  # fmt: skip
    return make_search_plans(request, plugins)


def file_name(prefix: str, figure: PublishedFigure, seed: int) -> str:
    """Name the file of a search."""
    words = _NO_LETTERS.sub("-", f"{figure.evaluator}-{figure.strategy}").strip("-")
    return f"{prefix}-{words}-seed{seed}.h5"


def found_by(outcomes: Sequence[SearchOutcome], evaluations: int) -> Found:
    """Describe what searches found that differ in their seed only; ``evaluations`` is how many each was to make."""
    table = outcomes[0].table
    return Found(
        values=tuple(outcome.value for outcome in outcomes),
        nothing=all(outcome.best is None for outcome in outcomes),
        failures=sum(outcome.failures for outcome in outcomes),
        evaluations=evaluations,
        dataset=outcomes[0].history.header.dataset,
        metric=table.metric.key if table else "",
    )
