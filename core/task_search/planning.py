"""Turns what a user asks for into a task search; every name and option is checked here, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..asktell.options import check_counts
from ..asktell.strategy import choose_strategy
from ..descriptions import DatasetInfo, SearchableSetting, SearchStrategyInfo, WeightSharingInfo
from ..errors import UsageError
from ..plan import PlanHeader
from ..planning.datasets import choose_dataset, dataset_version
from ..planning.evaluators import EvaluatorFactory
from ..planning.labelled import LabelledArchitectures, read_labelled
from ..planning.spellings import parse_evaluator_spelling
from ..plugin_manager import PluginManager
from ..seeding import check_seed
from .fitness import FitnessKind, TaskFitness
from .plan import TaskSearchPlan

MIN_ARCHITECTURES = 5
"""Below it, chance finds perfect tasks: of 450 random rankings of four networks about 19 are right, of five about 4."""

MAX_ARCHITECTURES = 100_000
"""Each of 450 tasks trains every network of the file: one with more of them is some other file."""


@dataclass(frozen=True)
class TaskSearchRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        labelled: CSV of labelled architectures.
        evaluator: A text such as ``gennas:iterations=50``; it must have a searchable setting, which is not given.
        strategy: A text such as ``random-search`` or ``regularized-evolution:population_size=20``.
        label: Column of the labels, None for the first that does not number the rows.
        lower_is_better: Direction of labels that the space's table does not know, None if their name tells it.
        dataset: Name of a data set, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        evaluations: Number of tasks, repeated ones included.
        parallel: Number of tasks that may wait for their fitness at the same time.
        seed: Seed of strategy and evaluator.
        fitness: Signed or absolute correlation.
    """

    space: str
    labelled: Path
    evaluator: str
    strategy: str
    label: str | None = None
    lower_is_better: bool | None = None
    dataset: str | None = None
    images: DatasetInfo | None = None
    evaluations: int = 450
    parallel: int = 1
    seed: int = 0
    fitness: FitnessKind = "signed"


def make_task_search_plan(request: TaskSearchRequest, plugins: PluginManager) -> TaskSearchPlan:
    """Check a request against the installed plugins.

    Raises:
        UsageError: Something in the request does not exist or does not fit.
    """
    check_seed(request.seed)
    check_counts(evaluations=request.evaluations, parallel=request.parallel)
    space_info = plugins.search_space(request.space).info
    dataset = choose_dataset(space_info, request.dataset, request.images, plugins)
    searchable = _searchable_setting(request.evaluator, plugins)
    evaluator_info = plugins.evaluator(parse_evaluator_spelling(request.evaluator, plugins).name).info
    designs = searchable.design_space(space_info, evaluator_info.full_name)
    factory = EvaluatorFactory(space_info, dataset, plugins)
    evaluator = factory.make(request.evaluator, values={searchable.name: designs.example()})
    strategy = choose_strategy(request.strategy, designs, request.seed, plugins)
    _refuse_unfit(strategy.info)
    example = strategy.make()  # says now, not after the first tasks, what the space of tasks lacks
    if len(example.fidelities) > 1:
        raise UsageError(
            f"The strategy '{strategy.name}' stops evaluations early, and tasks are evaluated in full. Use "
            "'regularized-evolution' or 'random-search'."
        )
    labelled = read_labelled(
        request.labelled, space_info.create(), dataset.name, label=request.label,
        lower_is_better=request.lower_is_better, option="--labelled",
    )  # fmt: skip
    _require_rankable(labelled, request.labelled)
    return TaskSearchPlan(
        header=PlanHeader(
            request.space,
            dataset.name,
            request.seed,
            sampling="",
            space_version=plugins.search_space(request.space).version,
            dataset_version=dataset_version(dataset, request.images, plugins),
        ),
        strategy=strategy,
        learns=example.learns,
        evaluator_info=evaluator_info,
        evaluator=evaluator,
        setting=searchable.name,
        fitness=TaskFitness(labelled, evaluator.header.direction, request.fitness),
        evaluations=request.evaluations,
        parallel=request.parallel,
        images=request.images,
    )


def _require_rankable(labelled: LabelledArchitectures, path: Path) -> None:
    """Refuse labels that say nothing of a task."""
    count = len(labelled.arch_ids)
    if count < MIN_ARCHITECTURES:
        raise UsageError(
            f"'{path}' has {count} labelled architectures, at least {MIN_ARCHITECTURES} are needed: tasks that rank "
            "fewer of them right are found by chance. The GenNAS authors use 20."
        )
    if count > MAX_ARCHITECTURES:
        raise UsageError(f"'{path}' has {count:,} labelled architectures, and each task trains all: give a handful.")
    if len(set(labelled.labels)) == 1:
        raise UsageError(
            f"'{path}': all labels in column '{labelled.label}' are {labelled.labels[0]:g}, so no task ranks them."
        )


def _searchable_setting(text: str, plugins: PluginManager) -> SearchableSetting:
    spelling = parse_evaluator_spelling(text, plugins)
    searchable = plugins.evaluator(spelling.name).info.searchable
    if searchable is None:
        known = [name for name, provided in plugins.evaluators().items() if provided.info.searchable]
        raise UsageError(
            f"The evaluator '{spelling.name}' has no task to search for. Evaluators that have one: "
            f"{', '.join(known) or 'none'}."
        )
    if searchable.name in spelling.settings:
        raise UsageError(
            f"'{text}' gives the setting '{searchable.name}', which is what is searched for. Leave it out."
        )
    return searchable


def _refuse_unfit(strategy: SearchStrategyInfo) -> None:
    if isinstance(strategy, WeightSharingInfo):
        raise UsageError(
            f"The strategy '{strategy.name}' trains a supernet, and tasks are no networks. Use 'regularized-evolution' "
            "or 'random-search'."
        )
    if strategy.multi_objective:
        raise UsageError(
            f"The strategy '{strategy.name}' searches for a Pareto front, and a task has its fitness alone. Use "
            "'regularized-evolution' or 'random-search'."
        )
