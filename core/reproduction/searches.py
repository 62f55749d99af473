"""The searches that a recipe needs: one for each figure and seed."""

from __future__ import annotations

import re

from ..plugin_manager import PluginManager
from ..search.plan import SearchPlan
from ..search.planning import SearchRequest, make_search_plans
from .recipe import Comparison, PublishedFigure
from .runs import Scale

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
