"""Finds plugins, asks their hooks, and answers for what they provide."""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pluggy

from . import hookspecs
from .descriptions import (
    AggregateInfo,
    DatasetInfo,
    DataSourceInfo,
    Description,
    EvaluatorInfo,
    SearchSpaceInfo,
    SearchStrategyInfo,
)
from .errors import PluginError, UnknownNameError, closest_matches

ENTRY_POINT_GROUP = "nasbench"

# Hook, the type it yields, and the command that lists what is installed.
HOOKS: dict[str, tuple[type[Description], str]] = {
    "nasbench_search_spaces": (SearchSpaceInfo, "nasbench spaces"),
    "nasbench_evaluators": (EvaluatorInfo, "nasbench evaluators"),
    "nasbench_aggregates": (AggregateInfo, "nasbench evaluators"),
    "nasbench_search_strategies": (SearchStrategyInfo, "nasbench strategies"),
    "nasbench_datasets": (DatasetInfo, "nasbench datasets"),
    "nasbench_data_sources": (DataSourceInfo, "nasbench data list"),
}

InfoT = TypeVar("InfoT", bound=Description)


class PluginWarning(UserWarning):
    """A plugin that was left out."""


@dataclass(frozen=True)
class Provided(Generic[InfoT]):
    """A description and the distribution, with version, that provides it."""

    info: InfoT
    distribution: str


@dataclass
class PluginRecord:
    """One entry point of the group ``nasbench``.

    Attributes:
        name: Name of the entry point.
        distribution: Distribution and version, as in ``nasbench-toolkit 0.1.0``.
        hooks: Names of the hooks it implements.
        problem: Why it was left out, or None.
    """

    name: str
    distribution: str
    hooks: list[str] = field(default_factory=list)
    problem: str | None = None


class PluginManager:
    """All plugins of an environment; one broken plugin does not stop the others.

    Attributes:
        records: Every plugin found, also those left out.
    """

    def __init__(self) -> None:
        self.records: list[PluginRecord] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT_NAME)
        self._pluggy.add_hookspecs(hookspecs)
        self._provided: dict[type[Description], list[Provided[Any]]] = {kind: [] for kind, _ in HOOKS.values()}

    def load_entry_points(self) -> None:
        """Register every plugin that an installed distribution names, in the order of their names."""
        entry_points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
        distinct = {(point.name, point.value, _distribution_of(point)): point for point in entry_points}
        for _, point in sorted(distinct.items()):
            self.register(point.name, _distribution_of(point), point.load)

    def register(self, name: str, distribution: str, load: Callable[[], object]) -> None:
        """Load one plugin and ask its hooks; what goes wrong is one warning, and the plugin is left out."""
        record = PluginRecord(name, distribution)
        self.records.append(record)
        try:
            self._ask(record, load())
        except Exception as error:
            record.problem = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            warnings.warn(
                f"Plugin '{name}' of {distribution} was left out: {record.problem}",
                PluginWarning,
                stacklevel=2,
            )

    def search_spaces(self) -> dict[str, Provided[SearchSpaceInfo]]:
        """Return all search spaces by name, sorted."""
        return self._named(SearchSpaceInfo)

    def evaluators(self) -> dict[str, Provided[EvaluatorInfo]]:
        """Return all evaluators by name, sorted."""
        return self._named(EvaluatorInfo)

    def registered_evaluators(self) -> list[Provided[EvaluatorInfo]]:
        """Return all evaluators in the order in which plugins registered them, plugins sorted by name."""
        return list(self._provided[EvaluatorInfo])

    def aggregates(self) -> dict[str, Provided[AggregateInfo]]:
        """Return all aggregates by name, sorted.

        Raises:
            PluginError: An evaluator has the same name.
        """
        named, evaluators = self._named(AggregateInfo), self.evaluators()
        for name in named.keys() & evaluators.keys():
            raise PluginError(
                f"'{name}' is an evaluator of {evaluators[name].distribution} and an aggregate of "
                f"{named[name].distribution}. Uninstall one of them."
            )
        return named

    def search_strategies(self) -> dict[str, Provided[SearchStrategyInfo]]:
        """Return all search strategies by name, sorted."""
        return self._named(SearchStrategyInfo)

    def datasets(self) -> dict[str, Provided[DatasetInfo]]:
        """Return all data sets by name, sorted."""
        return self._named(DatasetInfo)

    def data_sources(self) -> dict[str, Provided[DataSourceInfo]]:
        """Return all data sources by name, sorted."""
        return self._named(DataSourceInfo)

    def search_space(self, name: str) -> Provided[SearchSpaceInfo]:
        """Return one search space. Raises UnknownNameError with the closest matches."""
        return self._get(SearchSpaceInfo, name)

    def evaluator(self, name: str) -> Provided[EvaluatorInfo]:
        """Return one evaluator. Raises UnknownNameError with the closest matches, aggregates among them."""
        return self._get(EvaluatorInfo, name, self._named(AggregateInfo))

    def search_strategy(self, name: str) -> Provided[SearchStrategyInfo]:
        """Return one search strategy. Raises UnknownNameError with the closest matches."""
        return self._get(SearchStrategyInfo, name)

    def dataset(self, name: str) -> Provided[DatasetInfo]:
        """Return one data set. Raises UnknownNameError with the closest matches."""
        return self._get(DatasetInfo, name)

    def data_source(self, name: str) -> Provided[DataSourceInfo]:
        """Return one data source. Raises UnknownNameError with the closest matches."""
        return self._get(DataSourceInfo, name)

    def _ask(self, record: PluginRecord, plugin: object) -> None:
        _refuse_misspelt_hooks(plugin)
        internal_name = f"{record.distribution}:{record.name}"
        self._pluggy.register(plugin, name=internal_name)
        try:
            found: list[tuple[type[Description], Provided[Any]]] = []
            for caller in self._pluggy.get_hookcallers(plugin) or []:
                others = [other for other in self._pluggy.get_plugins() if other is not plugin]
                kind, _ = HOOKS[caller.name]
                record.hooks.append(caller.name)
                for yielded in self._pluggy.subset_hook_caller(caller.name, others)():
                    found += [
                        (kind, Provided(info, record.distribution)) for info in _checked(caller.name, kind, yielded)
                    ]
        except Exception:
            self._pluggy.unregister(name=internal_name)
            raise
        for kind, provided in found:
            self._provided[kind].append(provided)

    def _named(self, kind: type[InfoT]) -> dict[str, Provided[InfoT]]:
        named: dict[str, Provided[InfoT]] = {}
        for provided in sorted(self._provided[kind], key=lambda item: item.info.name):
            name = provided.info.name
            if name in named:
                raise PluginError(
                    f"Two plugins provide the {kind.kind} '{name}': {named[name].distribution} and "
                    f"{provided.distribution}. Uninstall one of them."
                )
            named[name] = provided
        return named

    def _get(self, kind: type[InfoT], name: str, also_known: Iterable[str] = ()) -> Provided[InfoT]:
        named = self._named(kind)
        if name not in named:
            command = next(command for listed, command in HOOKS.values() if listed is kind)
            known = [*named, *also_known]
            raise UnknownNameError(kind.kind, name, known, f"Run '{command}' to list what is installed.")
        return named[name]


@functools.cache
def installed_plugins() -> PluginManager:
    """Return the manager with every plugin of this environment, loaded once in each process."""
    manager = PluginManager()
    manager.load_entry_points()
    return manager


def _distribution_of(point: importlib.metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


def _refuse_misspelt_hooks(plugin: object) -> None:
    for name, member in inspect.getmembers(plugin, callable):
        marked = hasattr(member, f"{hookspecs.PROJECT_NAME}_impl")
        if marked and name not in HOOKS:
            raise PluginError(f"it implements the unknown hook '{name}'. {closest_matches(name, HOOKS)}".strip())
        if name in HOOKS and not marked:
            raise PluginError(f"its function '{name}' is not marked with @hookimpl")


def _checked(hook: str, kind: type[InfoT], yielded: object) -> list[InfoT]:
    if not isinstance(yielded, Iterable):
        raise PluginError(f"its hook '{hook}' returned {type(yielded).__name__}, expected {kind.__name__} objects")
    infos = list(yielded)
    for info in infos:
        if not isinstance(info, kind):
            raise PluginError(f"its hook '{hook}' yielded {type(info).__name__}, expected {kind.__name__}")
    return infos
