"""Finds plugins, asks their hooks, and answers for what they provide."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import warnings
from collections.abc import Callable, Iterable, Iterator
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
    ExecutorInfo,
    RecipeInfo,
    SearchSpaceInfo,
    SearchStrategyInfo,
)
from .errors import PluginError, UnknownNameError, closest_matches
from .global_state.state import global_state_kept
from .loading.entry_points import ENVIRONMENT_VARIABLE, chosen_plugins, find_plugins
from .loading.faults import silent_process
from .loading.hooks import check_infos, describe_unknown_hooks, find_hooks
from .loading.remedies import why_left_out

# Hook, the type it yields, and the command that lists what is installed.
HOOKS: dict[str, tuple[type[Description], str]] = {
    "nasbench_search_spaces": (SearchSpaceInfo, "nasbench spaces"),
    "nasbench_evaluators": (EvaluatorInfo, "nasbench evaluators"),
    "nasbench_aggregates": (AggregateInfo, "nasbench evaluators"),
    "nasbench_search_strategies": (SearchStrategyInfo, "nasbench strategies"),
    "nasbench_datasets": (DatasetInfo, "nasbench datasets"),
    "nasbench_data_sources": (DataSourceInfo, "nasbench data list"),
    "nasbench_executors": (ExecutorInfo, "nasbench executors"),
    "nasbench_recipes": (RecipeInfo, "nasbench reproduce"),
}

InfoT = TypeVar("InfoT", bound=Description)

# What cannot be put back, does not matter to scores, and is often chosen when a plugin is loaded.
HARMLESS = frozenset({"torch's threads between operations"})


class PluginWarning(UserWarning):
    """A plugin that was left out, whole or in part."""


@dataclass(frozen=True)
class Provided(Generic[InfoT]):
    """A description and the distribution, with version, that provides it."""

    info: InfoT
    distribution: str

    @property
    def version(self) -> str:
        """Distribution with its version, and the version of the definition where that was raised."""
        version = getattr(self.info, "version", 1)
        return self.distribution if version == 1 else f"{self.distribution}, definition {version}"


@dataclass
class PluginRecord:
    """One entry point of the group ``nasbench``.

    Attributes:
        name: Name of the entry point.
        distribution: Distribution and version, as in ``nasbench-toolkit 0.1.0``.
        hooks: Names of the hooks it implements.
        problem: Why it was left out, or None.
        remark: What of it was left out, although the rest works, or None.
        lost: What it changed in this process when it was loaded and cannot be put back.
    """

    name: str
    distribution: str
    hooks: list[str] = field(default_factory=list)
    problem: str | None = None
    remark: str | None = None
    lost: tuple[str, ...] = ()


class PluginManager:
    """All plugins of an environment; one broken plugin does not stop the others.

    Attributes:
        records: Every plugin found, also those left out.
    """

    def __init__(self) -> None:
        self.records: list[PluginRecord] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT_NAME)
        self._pluggy.add_hookspecs(hookspecs)
        self._provided: dict[type[Description], dict[str, Provided[Any]]] = {kind: {} for kind, _ in HOOKS.values()}

    def load_entry_points(self) -> None:
        """Register the plugins that installed distributions name: built-ins, then the others in the order of names.

        The environment variable ``NASBENCH_PLUGINS`` chooses among the others: those it names, none if it is empty.
        """
        found, chosen = find_plugins(), chosen_plugins()
        for plugin in found:
            if plugin.built_in or chosen is None or plugin.name in chosen:
                self.register(plugin.name, plugin.distribution, plugin.load, built_in=plugin.built_in)
            else:
                problem = f"{ENVIRONMENT_VARIABLE} does not name it"
                self.records.append(PluginRecord(plugin.name, plugin.distribution, problem=problem))
        _warn_of_missing(chosen or (), [plugin.name for plugin in found])

    def register(self, name: str, distribution: str, load: Callable[[], object], *, built_in: bool = False) -> None:
        """Load one plugin and ask its hooks.

        What goes wrong is one warning, and the plugin is left out. A name that an earlier plugin provides, or a hook
        that this version does not have, is a warning too, and the rest of the plugin works. What it prints goes to
        stderr, and what it changes in the process is put back; built-ins do neither, and are not watched.
        """
        record = PluginRecord(name, distribution)
        self.records.append(record)
        try:
            with _watched(built_in) as lost:
                self._ask(record, load())
        except KeyboardInterrupt:
            raise
        # A plugin that ends the process while it is loaded must not end everything else.
        except BaseException as error:
            record.problem = why_left_out(error)
            _warn(f"Plugin '{name}' of {distribution} was left out: {record.problem.rstrip('.')}.")
        else:
            record.lost = tuple(sorted(set(lost) - HARMLESS))
            if record.lost:
                lasting = (
                    f"When it is loaded it changes what cannot be put back: {', '.join(record.lost)}. Uninstall it."
                )
                record.remark = f"{record.remark} {lasting}" if record.remark else lasting
            if record.remark:
                _warn(f"Plugin '{name}' of {distribution}: {record.remark}")

    def search_spaces(self) -> dict[str, Provided[SearchSpaceInfo]]:
        """Return all search spaces by name, sorted."""
        return self._named(SearchSpaceInfo)

    def evaluators(self) -> dict[str, Provided[EvaluatorInfo]]:
        """Return all evaluators by name, sorted."""
        return self._named(EvaluatorInfo)

    def registered_evaluators(self) -> list[Provided[EvaluatorInfo]]:
        """Return all evaluators in the order in which plugins registered them, plugins sorted by name."""
        return list(self._provided[EvaluatorInfo].values())

    def aggregates(self) -> dict[str, Provided[AggregateInfo]]:
        """Return all aggregates by name, sorted; none has the name of an evaluator."""
        return self._named(AggregateInfo)

    def search_strategies(self) -> dict[str, Provided[SearchStrategyInfo]]:
        """Return all search strategies by name, sorted."""
        return self._named(SearchStrategyInfo)

    def datasets(self) -> dict[str, Provided[DatasetInfo]]:
        """Return all data sets by name, sorted."""
        return self._named(DatasetInfo)

    def data_sources(self) -> dict[str, Provided[DataSourceInfo]]:
        """Return all data sources by name, sorted."""
        return self._named(DataSourceInfo)

    def executors(self) -> dict[str, Provided[ExecutorInfo]]:
        """Return all executors by name, sorted."""
        return self._named(ExecutorInfo)

    def recipes(self) -> dict[str, Provided[RecipeInfo]]:
        """Return all recipes by name, sorted."""
        return self._named(RecipeInfo)

    def search_space(self, name: str) -> Provided[SearchSpaceInfo]:
        """Return one search space. Raises UnknownNameError with the closest matches."""
        return self._get(SearchSpaceInfo, name)

    def evaluator(self, name: str) -> Provided[EvaluatorInfo]:
        """Return one evaluator. Raises UnknownNameError with the closest matches, aggregates among them."""
        return self._get(EvaluatorInfo, name, self._named(AggregateInfo))

    def aggregate(self, name: str) -> Provided[AggregateInfo]:
        """Return one aggregate. Raises UnknownNameError with the closest matches."""
        return self._get(AggregateInfo, name)

    def search_strategy(self, name: str) -> Provided[SearchStrategyInfo]:
        """Return one search strategy. Raises UnknownNameError with the closest matches."""
        return self._get(SearchStrategyInfo, name)

    def dataset(self, name: str) -> Provided[DatasetInfo]:
        """Return one data set. Raises UnknownNameError with the closest matches."""
        return self._get(DatasetInfo, name)

    def data_source(self, name: str) -> Provided[DataSourceInfo]:
        """Return one data source. Raises UnknownNameError with the closest matches."""
        return self._get(DataSourceInfo, name)

    def executor(self, name: str) -> Provided[ExecutorInfo]:
        """Return one executor. Raises UnknownNameError with the closest matches."""
        return self._get(ExecutorInfo, name)

    def recipe(self, name: str) -> Provided[RecipeInfo]:
        """Return one recipe. Raises UnknownNameError with the closest matches."""
        return self._get(RecipeInfo, name)

    def _ask(self, record: PluginRecord, plugin: object) -> None:
        implemented = find_hooks(plugin, self._pluggy, HOOKS)
        record.hooks += implemented.known
        remarks = [describe_unknown_hooks(implemented.unknown, HOOKS)] if implemented.unknown else []
        if self._pluggy.is_registered(plugin):
            raise PluginError("it is a plugin already, by another name: name each module in one entry point")
        internal_name = f"{record.distribution}:{record.name}"
        provider = f"plugin '{record.name}' of {record.distribution}"
        self._pluggy.register(plugin, name=internal_name)
        try:
            described = [info for hook in implemented.known for info in self._ask_hook(hook, plugin)]
            # All before the first is stored: a class of the plugin's own may refuse, and then none is to be there.
            infos = [dataclasses.replace(info, provider=provider) for info in described]
            _refuse_own_names_twice(infos)
        except BaseException:
            self._pluggy.unregister(name=internal_name)
            raise
        taken = {id(info): remark for info in infos if (remark := self._why_taken(info))}
        remarks += taken.values()
        if remarks:
            record.remark = f"{' '.join(remarks)} The rest of the plugin works."
        for info in [info for info in infos if id(info) not in taken]:
            self._provided[_kind_of(info)][info.name] = Provided(info, record.distribution)

    def _ask_hook(self, hook: str, plugin: object) -> list[Description]:
        """Return what one plugin's implementations of a hook describe."""
        kind, _ = HOOKS[hook]
        others = [other for other in self._pluggy.get_plugins() if other is not plugin]
        caller = self._pluggy.subset_hook_caller(hook, others)
        returned = caller()
        # What returns None does not appear among what was returned.
        if len(returned) < len(caller.get_hookimpls()):
            raise PluginError(f"its hook '{hook}' returned nothing: 'yield' each {kind.__name__}, or return a list")
        infos = [info for each in returned for info in check_infos(hook, kind, each)]
        for info in infos:
            info.check()
        return infos

    def _why_taken(self, info: Description) -> str | None:
        """Return what to say of an info whose name another plugin provides, None if it is free."""
        kinds = _kinds_that_share_names(_kind_of(info))
        taken = next((self._provided[kind][info.name] for kind in kinds if info.name in self._provided[kind]), None)
        if taken is None:
            return None
        return (
            f"Its {info.kind} '{info.name}' was left out: it has the name of the {taken.info.kind} of "
            f"{taken.distribution}; rename it, or uninstall one of the two."
        )

    def _named(self, kind: type[InfoT]) -> dict[str, Provided[InfoT]]:
        return dict(sorted(self._provided[kind].items()))

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


@contextlib.contextmanager
def _watched(built_in: bool) -> Iterator[list[str]]:
    """Keep the process silent and as it is, unless what is loaded is built in.

    The list that it gives has, at the end, the names of what could not be put back.
    """
    if built_in:
        yield []
        return
    with silent_process(), global_state_kept() as lost:
        yield lost


def _kind_of(info: Description) -> type[Description]:
    return next(kind for kind, _ in HOOKS.values() if isinstance(info, kind))


def _refuse_own_names_twice(infos: Iterable[Description]) -> None:
    own: set[tuple[str, str]] = set()
    for info in infos:
        key = (_kinds_that_share_names(_kind_of(info))[0].__name__, info.name)
        if key in own:
            raise PluginError(f"it provides the {info.kind} '{info.name}' twice: give one of the two another name")
        own.add(key)


def _kinds_that_share_names(kind: type[Description]) -> tuple[type[Description], ...]:
    # Users name aggregates like evaluators.
    shared = (EvaluatorInfo, AggregateInfo)
    return shared if kind in shared else (kind,)


def _warn_of_missing(chosen: Iterable[str], found: Iterable[str]) -> None:
    missing = sorted(set(chosen) - set(found))
    for name in missing:
        _warn(
            f"{ENVIRONMENT_VARIABLE} names the plugin '{name}', which is not installed. {closest_matches(name, found)}"
            "Run 'nasbench plugins' to list what is."
        )


def _warn(message: str) -> None:
    warnings.warn(message, PluginWarning, stacklevel=3)
