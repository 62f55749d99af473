"""The evaluators that commands take if none is named: plugins declare them, and the search space must support them."""

from __future__ import annotations

from ..descriptions import EvaluatorInfo
from ..errors import UsageError
from ..plugin_manager import PluginManager


def default_evaluators(space: str, plugins: PluginManager) -> tuple[str, ...]:
    """Return the evaluators that a run compares, in the order in which plugins registered them.

    Raises:
        UsageError: There is no such space.
    """
    defaults = [provided.info for provided in plugins.registered_evaluators() if provided.info.compared_by_default]
    return _supporting(defaults, space, plugins)


def searchable_evaluator(space: str, plugins: PluginManager) -> str:
    """Return the evaluator with a searchable setting that supports a search space.

    Raises:
        UsageError: There is no such space, no such evaluator, or more than one.
    """
    searchable = [provided.info for provided in plugins.registered_evaluators() if provided.info.searchable]
    found = _supporting(searchable, space, plugins)
    if len(found) == 1:
        return found[0]
    names = ", ".join(found or (info.name for info in searchable)) or "none"
    problem = "Several evaluators" if found else "No evaluator"
    raise UsageError(
        f"{problem} with a task to search for can score architectures of '{space}'. Name the one you mean with "
        f"--evaluator: {names}."
    )


def _supporting(infos: list[EvaluatorInfo], space: str, plugins: PluginManager) -> tuple[str, ...]:
    space_info = plugins.search_space(space).info
    dataset = plugins.dataset(space_info.datasets[0]).info
    return tuple(info.name for info in infos if info.reason_unsupported(space_info, dataset) is None)
