"""Turns what a user asks for into a search; every name and option is checked here, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..asktell.strategy import choose_strategy
from ..descriptions import DatasetInfo, SearchStrategyInfo
from ..errors import UsageError
from ..interfaces import GroundTruth
from ..plan import EvaluatorSpec, GroundTruthColumn
from ..planning.datasets import choose_dataset
from ..planning.ground_truth import ground_truth_columns
from ..plugin_manager import PluginManager
from .cost_planning import plan_costs
from .evaluator_choice import EvaluatorChoice
from .history import SearchHeader
from .outcome import TableSummary
from .plan import SearchPlan


@dataclass(frozen=True)
class SearchRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        evaluator: A text such as ``naswot`` or ``gennas-combo:preset=paper``.
        strategy: A text such as ``random-search`` or ``regularized-evolution:population_size=20``.
        dataset: Name of a data set, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        evaluations: Number of proposals to score, repeated ones included.
        parallel: Number of proposals that may wait for their scores at the same time.
        seed: Seed of the search, of the first one if there are several.
        seeds: Number of searches, whose seeds follow each other.
        metric: The metric to compare with, as in :func:`find_metric`; None for the default.
        limits: Costs and what they may be at most.
        minimize: Costs that are objectives beside the score.
    """

    space: str
    evaluator: str
    strategy: str
    dataset: str | None = None
    images: DatasetInfo | None = None
    evaluations: int = 450
    parallel: int = 1
    seed: int = 0
    seeds: int = 1
    metric: str | None = None
    limits: tuple[tuple[str, float], ...] = ()
    minimize: tuple[str, ...] = ()


def make_search_plans(request: SearchRequest, plugins: PluginManager) -> list[SearchPlan]:
    """Check a request against the installed plugins; one plan for each seed, all of them on one table.

    Raises:
        UsageError: Something in the request does not exist or does not fit.
    """
    _check_numbers(request)
    provided_space = plugins.search_space(request.space)
    dataset = choose_dataset(provided_space.info, request.dataset, request.images, plugins)
    choice = EvaluatorChoice(provided_space.info, dataset, plugins)
    evaluator = choice.make(request.evaluator, "maximise")
    strategy = choose_strategy(request.strategy, plugins)
    _check_objectives(strategy.info, request)
    space = provided_space.info.create()
    columns = ground_truth_columns(space, provided_space, (), dataset.name, request.metric)
    costs = plan_costs(request.limits, request.minimize, choice, [column.metric for column in columns])
    # Says now, not after the first evaluations, what the space or the evaluator lacks.
    first = strategy.maker(space, request.seed)()
    lower = choice.lower_fidelities(request.evaluator, strategy.info.name, first.fidelities)
    named = {spec.header.identity: spec.header for spec in reversed([evaluator, *costs.evaluators, *lower])}
    header = SearchHeader(
        space=request.space,
        dataset=dataset.name,
        evaluator=evaluator.header,
        strategy=strategy.info.name,
        strategy_settings=strategy.settings.effective(),
        seed=request.seed,
        parallel=request.parallel,
        # One evaluator has one label, however often and however it was spelled.
        costs=tuple(
            replace(cost, evaluator=named[cost.evaluator.identity]) if cost.evaluator else cost for cost in costs.costs
        ),
        lower=tuple(named[spec.header.identity] for spec in lower),
    )
    evaluators = _in_order(header, [evaluator, *costs.evaluators, *lower])
    table = space.ground_truth()
    summary = TableSummary.read(table, columns[0].metric) if table else None
    return [
        SearchPlan(
            header=replace(header, seed=seed),
            space=space,
            evaluators=evaluators,
            make_strategy=strategy.maker(space, seed),
            distribution=strategy.distribution,
            evaluations=request.evaluations,
            ground_truth=partial(_look_up, table, columns),
            images=request.images,
            table=summary,
        )
        for seed in range(request.seed, request.seed + request.seeds)
    ]


def make_search_plan(request: SearchRequest, plugins: PluginManager) -> SearchPlan:
    """Check a request for a single search.

    Raises:
        UsageError: Something in the request does not exist or does not fit.
    """
    (plan,) = make_search_plans(replace(request, seeds=1), plugins)
    return plan


def _check_numbers(request: SearchRequest) -> None:
    for name in ("evaluations", "parallel", "seeds"):
        if getattr(request, name) < 1:
            raise UsageError(f"--{name} must be at least 1, got {getattr(request, name)}.")


def _check_objectives(strategy: SearchStrategyInfo, request: SearchRequest) -> None:
    if strategy.multi_objective and not request.minimize:
        raise UsageError(
            f"The strategy '{strategy.name}' searches for a Pareto front: it needs a cost beside the score. Name one "
            "with --minimize, such as --minimize params."
        )


def _in_order(header: SearchHeader, specs: Sequence[EvaluatorSpec]) -> tuple[EvaluatorSpec, ...]:
    """Return what creates the header's evaluators, in their order.

    Raises:
        UsageError: Two of them have the same label, so that a results file cannot tell them apart.
    """
    labels = [evaluator.label for evaluator in header.evaluators]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise UsageError(f"Two evaluators of this search would both be called '{twice}'. Give their files other names.")
    return tuple(next(spec for spec in specs if spec.header == evaluator) for evaluator in header.evaluators)


def _look_up(
    table: GroundTruth | None, columns: Sequence[GroundTruthColumn], arch_ids: Sequence[str]
) -> tuple[GroundTruthColumn, ...]:
    """Fill empty columns from an open table; a search asks for one architecture at a time."""
    if table is None:
        return ()
    return tuple(replace(column, values=tuple(table.values(column.metric, arch_ids))) for column in columns)
