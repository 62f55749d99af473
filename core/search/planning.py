"""Turns what a user asks for into a search; every name and option is checked here, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..asktell.options import check_counts
from ..asktell.strategy import StrategySpec, choose_strategy
from ..descriptions import DatasetInfo, SearchStrategyInfo, WeightSharingInfo
from ..domain import Metric
from ..errors import UsageError
from ..interfaces import GroundTruth
from ..plan import EvaluatorHeader, EvaluatorSpec, GroundTruthColumn
from ..planning.aggregation import refuse_aggregate
from ..planning.datasets import choose_dataset, dataset_version
from ..planning.evaluators import EvaluatorFactory
from ..planning.ground_truth import compared_space, ground_truth_columns
from ..planning.own_labels import LabelFile, OwnLabels, check_one_truth, read_own_labels
from ..plugin_manager import PluginManager
from ..seeding import check_seed
from .cost_planning import plan_costs
from .costs import Cost, metric_limits
from .fidelities import lower_fidelities
from .history import SearchHeader
from .outcome import TableSummary
from .plan import SearchPlan
from .weight_sharing_planning import check_weight_sharing

DEFAULT_EVALUATIONS = 450
"""Regularised evolution with 50 random architectures and 400 children, as in Li et al., NeurIPS 2021."""


@dataclass(frozen=True)
class SearchRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        evaluator: A text such as ``naswot`` or ``gennas-combo:preset=paper``; may be None for a strategy that trains a
            supernet.
        strategy: A text such as ``random-search`` or ``regularized-evolution:population_size=20``.
        dataset: Name of a data set, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        evaluations: Number of proposals to score, repeated ones included; None for the default. A strategy that trains
            a supernet has its epochs instead.
        parallel: Number of proposals that may wait for their scores at the same time.
        seed: Seed of the search, of the first one if there are several.
        seeds: Number of searches, whose seeds follow each other.
        metric: The metric to compare with, as in :func:`find_metric`; None for the default.
        limits: Costs and what they may be at most.
        minimize: Costs that are objectives beside the score.
        labels: The user's own labels, which measure what was found.
    """

    space: str
    evaluator: str | None
    strategy: str
    dataset: str | None = None
    images: DatasetInfo | None = None
    evaluations: int | None = None
    parallel: int = 1
    seed: int = 0
    seeds: int = 1
    metric: str | None = None
    limits: tuple[tuple[str, float], ...] = ()
    minimize: tuple[str, ...] = ()
    labels: LabelFile | None = None


def make_search_plans(request: SearchRequest, plugins: PluginManager) -> list[SearchPlan]:
    """Check a request against the installed plugins; one plan for each seed, all of them on one table.

    Raises:
        UsageError: Something in the request does not exist or does not fit.
    """
    check_seed(request.seed)
    check_seed(request.seed + request.seeds - 1)
    given = {} if request.evaluations is None else {"evaluations": request.evaluations}
    check_counts(**given, parallel=request.parallel, seeds=request.seeds)
    check_one_truth(request.labels, request.metric)
    provided_space = plugins.search_space(request.space)
    dataset = choose_dataset(provided_space.info, request.dataset, request.images, plugins)
    space = compared_space(provided_space.info.create(), dataset.name, request.metric)
    strategy = choose_strategy(request.strategy, space, request.seed, plugins)
    _check_objectives(strategy.info, request)
    if isinstance(strategy.info, WeightSharingInfo):
        check_weight_sharing(strategy.info, provided_space.info, dataset, request, plugins)
    columns = ground_truth_columns(space, provided_space, (), dataset.name, request.metric)
    factory = EvaluatorFactory(provided_space.info, dataset, plugins, request.metric)
    header, evaluators = _choose_evaluators(request, strategy, factory, [column.metric for column in columns])
    table = space.ground_truth()
    own = read_own_labels(request.labels, space, dataset.name) if request.labels else None
    plan = SearchPlan(
        header=header,
        space=space,
        strategy=strategy,
        evaluators=evaluators,
        evaluations=_evaluations(strategy, request),
        ground_truth=partial(_look_up, own, table, columns),
        images=request.images,
        table=_summarise(own, table, columns, header),
    )
    seeds = range(request.seed, request.seed + request.seeds)
    return [replace(plan, header=replace(header, seed=seed), strategy=replace(strategy, seed=seed)) for seed in seeds]


def _check_objectives(strategy: SearchStrategyInfo, request: SearchRequest) -> None:
    if strategy.multi_objective and not request.minimize:
        raise UsageError(
            f"The strategy '{strategy.name}' searches for a Pareto front: it needs a cost beside the score. Name one "
            "with --minimize, such as --minimize params."
        )


def _evaluations(strategy: StrategySpec, request: SearchRequest) -> int:
    if isinstance(strategy.info, WeightSharingInfo):
        epochs: int = strategy.settings.epochs  # type: ignore[attr-defined]  # the description saw to it
        return epochs
    return DEFAULT_EVALUATIONS if request.evaluations is None else request.evaluations


def _judge(strategy: SearchStrategyInfo, factory: EvaluatorFactory) -> str:
    """Return the evaluator that a strategy names for where the user names none.

    Raises:
        UsageError: There is none that supports the space.
    """
    named = strategy.judged_by if isinstance(strategy, WeightSharingInfo) else ()
    for name in named:
        provided = factory.plugins.evaluators().get(name)
        if provided and provided.info.reason_unsupported(factory.space, factory.dataset) is None:
            return name
    raise UsageError(
        "A search maximises the score of one evaluator, 0 were given. Name it with --evaluator; 'nasbench evaluators' "
        "lists them."
    )


def _choose_evaluators(
    request: SearchRequest, strategy: StrategySpec, factory: EvaluatorFactory, metrics: Sequence[Metric]
) -> tuple[SearchHeader, tuple[EvaluatorSpec, ...]]:
    """Return what describes the search, and what creates its evaluators."""
    text = request.evaluator or _judge(strategy.info, factory)
    refuse_aggregate(text, "maximise", factory.plugins)
    evaluator = factory.make(text)
    costs = plan_costs(request.limits, request.minimize, factory, metrics)
    _refuse_own_score(evaluator.header, costs.costs)
    lower: tuple[EvaluatorSpec, ...] = ()
    if not isinstance(strategy.info, WeightSharingInfo):
        # Makes the strategy to say now, not after the first evaluations, what the space or the evaluator lacks.
        lower = lower_fidelities(text, strategy.make(), strategy.name, factory)
    specs = [evaluator, *costs.evaluators, *lower]
    # One evaluator has one label, however often and however it was spelled.
    named = {spec.header.identity: spec.header for spec in reversed(specs)}
    header = SearchHeader(
        space=request.space,
        dataset=factory.dataset.name,
        evaluator=evaluator.header,
        strategy=strategy.name,
        strategy_settings=strategy.effective_settings,
        seed=request.seed,
        parallel=request.parallel,
        costs=tuple(
            replace(cost, evaluator=named[cost.evaluator.identity]) if cost.evaluator else cost for cost in costs.costs
        ),
        lower=tuple(named[spec.header.identity] for spec in lower),
        versions=(
            factory.plugins.search_space(request.space).version,
            dataset_version(factory.dataset, request.images, factory.plugins),
            factory.plugins.search_strategy(strategy.name).version,
        ),
    )
    return header, _in_order(header, specs)


def _refuse_own_score(evaluator: EvaluatorHeader, costs: Sequence[Cost]) -> None:
    """Refuse the score as an objective beside itself: all architectures would be on the front, or the least alone."""
    if any(cost.minimized and cost.identity == evaluator.identity for cost in costs):
        raise UsageError(
            f"'{evaluator.label}' is the score of this search, which cannot be minimised beside itself. Name "
            "another cost with --minimize, or another evaluator with --evaluator."
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
    own: OwnLabels | None, table: GroundTruth | None, columns: Sequence[GroundTruthColumn], arch_ids: Sequence[str]
) -> tuple[GroundTruthColumn, ...]:
    """Return the user's labels, and fill empty columns from an open table; a search asks for one at a time."""
    labels = () if own is None else (own.column(arch_ids),)
    if table is None:
        return labels
    return *labels, *(replace(column, values=tuple(table.values(column.metric, arch_ids))) for column in columns)


def _summarise(
    own: OwnLabels | None, table: GroundTruth | None, columns: Sequence[GroundTruthColumn], header: SearchHeader
) -> TableSummary | None:
    """Return what measures the search: the user's labels, else the first column of the table."""
    if own is not None:
        return TableSummary.of(own.metric, list(own.labels.values()))
    return TableSummary.read(table, columns[0].metric, metric_limits(header.costs)) if table else None
