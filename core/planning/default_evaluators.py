"""The evaluators that commands take if none is named: plugins declare them, and the search space must support them."""

from __future__ import annotations

from ..descriptions import DatasetInfo, EvaluatorInfo
from ..errors import UsageError
from ..plugin_manager import PluginManager
from .datasets import choose_dataset
from .evaluators import EvaluatorFactory


def default_evaluators(
    space: str, plugins: PluginManager, dataset: str | None = None, images: DatasetInfo | None = None
) -> tuple[str, ...]:
    """Return the evaluators that a run compares, in the order in which plugins registered them.

    Those are left out that draw more inputs than the data set has.

    Args:
        space: The search space.
        plugins: Where evaluators come from.
        dataset: What the user named.
        images: The user's own images.

    Raises:
        UsageError: There is no such space or data set.
    """
    space_info = plugins.search_space(space).info
    chosen = choose_dataset(space_info, dataset, images, plugins)
    factory = EvaluatorFactory(space_info, chosen, plugins)
    defaults = [provided.info for provided in plugins.registered_evaluators() if provided.info.compared_by_default]
    return tuple(filter(factory.has_enough_inputs, _supporting(defaults, space, chosen, plugins)))


def searchable_evaluator(space: str, plugins: PluginManager) -> str:
    """Return the evaluator with a searchable setting that supports a search space.

    Raises:
        UsageError: There is no such space, no such evaluator, or more than one.
    """
    searchable = [provided.info for provided in plugins.registered_evaluators() if provided.info.searchable]
    first = plugins.dataset(plugins.search_space(space).info.datasets[0]).info
    found = _supporting(searchable, space, first, plugins)
    if len(found) == 1:
        return found[0]
    names = ", ".join(found or (info.name for info in searchable)) or "none"
    problem = "Several evaluators" if found else "No evaluator"
    raise UsageError(
        f"{problem} with a task to search for can score architectures of '{space}'. Name the one you mean with "
        f"--evaluator: {names}."
    )


def _supporting(
    infos: list[EvaluatorInfo], space: str, dataset: DatasetInfo, plugins: PluginManager
) -> tuple[str, ...]:
    space_info = plugins.search_space(space).info
    return tuple(info.name for info in infos if info.reason_unsupported(space_info, dataset) is None)
