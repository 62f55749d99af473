"""Turns what a user asks for into a search; every name and option is checked here, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..descriptions import DatasetInfo, SearchSpaceInfo, SearchStrategyInfo
from ..errors import UsageError
from ..interfaces import GroundTruth
from ..plan import EvaluatorSpec, GroundTruthColumn
from ..planning import choose_dataset, ground_truth_columns, make_evaluator, split_settings
from ..plugin_manager import PluginManager, Provided
from ..settings import Settings, parse_settings
from .history import SearchHeader
from .plan import SearchPlan


@dataclass(frozen=True)
class SearchRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        evaluator: A text such as ``naswot`` or ``gennas-combo:preset=paper``.
        strategy: A text such as ``random-search`` or ``regularized-evolution:population=20``.
        dataset: Name of a data set, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        evaluations: Number of proposals to score, repeated ones included.
        parallel: Number of proposals that may wait for their scores at the same time.
        seed: Seed of the search, of the first one if it is repeated.
        repeats: Number of searches, whose seeds follow each other.
        metric: The metric to compare with, as in :func:`find_metric`; None for the default.
    """

    space: str
    evaluator: str
    strategy: str
    dataset: str | None = None
    images: DatasetInfo | None = None
    evaluations: int = 450
    parallel: int = 1
    seed: int = 0
    repeats: int = 1
    metric: str | None = None


def make_search_plans(request: SearchRequest, plugins: PluginManager) -> list[SearchPlan]:
    """Check a request against the installed plugins; one plan for each repeat, all of them on one table.

    Raises:
        UsageError: Something in the request does not exist or does not fit.
    """
    _check_numbers(request)
    provided_space = plugins.search_space(request.space)
    dataset = choose_dataset(provided_space.info, request.dataset, request.images, plugins)
    evaluator = _make_evaluator(request.evaluator, provided_space.info, dataset, plugins)
    strategy, settings = _choose_strategy(request.strategy, plugins)
    space = provided_space.info.create()
    columns = ground_truth_columns(space, provided_space, (), dataset.name, request.metric)
    ground_truth = partial(_look_up, space.ground_truth(), columns)
    plans = []
    for seed in range(request.seed, request.seed + request.repeats):
        make_strategy = partial(strategy.info.create, space, settings, seed)
        make_strategy()  # says now, not after the first evaluations, what the space lacks
        header = SearchHeader(
            space=request.space,
            dataset=dataset.name,
            evaluator=evaluator.header,
            strategy=strategy.info.name,
            strategy_settings=settings.effective(),
            seed=seed,
            parallel=request.parallel,
        )
        plans.append(
            SearchPlan(
                header=header,
                space=space,
                evaluator=evaluator,
                make_strategy=make_strategy,
                distribution=strategy.distribution,
                evaluations=request.evaluations,
                ground_truth=ground_truth,
                images=request.images,
            )
        )
    return plans


def make_search_plan(request: SearchRequest, plugins: PluginManager) -> SearchPlan:
    """Check a request for a single search.

    Raises:
        UsageError: Something in the request does not exist or does not fit.
    """
    (plan,) = make_search_plans(replace(request, repeats=1), plugins)
    return plan


def _check_numbers(request: SearchRequest) -> None:
    for name in ("evaluations", "parallel", "repeats"):
        if getattr(request, name) < 1:
            raise UsageError(f"--{name} must be at least 1, got {getattr(request, name)}.")


def _make_evaluator(text: str, space: SearchSpaceInfo, dataset: DatasetInfo, plugins: PluginManager) -> EvaluatorSpec:
    name = text.partition(":")[0]
    if name in plugins.aggregates():
        raise UsageError(
            f"A search cannot maximise the aggregate '{name}': it is made of ranks within a cohort, so it changes with "
            "every architecture that joins. Search with one of the evaluators that it is made of."
        )
    return make_evaluator(text, space, dataset, plugins)


def _choose_strategy(text: str, plugins: PluginManager) -> tuple[Provided[SearchStrategyInfo], Settings]:
    name, _, settings_text = text.partition(":")
    provided = plugins.search_strategy(name)
    given = split_settings(text, settings_text, {})
    return provided, parse_settings(name, provided.info.settings, given)


def _look_up(
    table: GroundTruth | None, columns: Sequence[GroundTruthColumn], arch_ids: Sequence[str]
) -> tuple[GroundTruthColumn, ...]:
    """Fill empty columns from an open table; a search asks for one architecture at a time."""
    if table is None:
        return ()
    return tuple(replace(column, values=tuple(table.values(column.metric, arch_ids))) for column in columns)
