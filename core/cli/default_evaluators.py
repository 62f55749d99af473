"""The evaluators that commands take if none is named: those of a list that support the search space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..plugin_manager import PluginManager

DEFAULT_EVALUATORS = ("gennas-combo", "gennas-rnn-combo", "synflow", "naswot", "params", "flops", "random")
"""What a run compares: GenNAS, its two strongest cheap rivals, size, and the control."""

TASK_EVALUATORS = ("gennas", "gennas-rnn")
"""What scores with a task; a space supports one of them."""


def supported(names: Sequence[str], space: str, plugins: PluginManager) -> tuple[str, ...]:
    """Return those evaluators that support a search space.

    Raises:
        UsageError: There is no such space.
    """
    info = plugins.search_space(space).info
    dataset = plugins.dataset(info.datasets[0]).info
    return tuple(name for name in names if not plugins.evaluator(name).info.reason_unsupported(info, dataset))


def task_evaluator(space: str, plugins: PluginManager) -> str:
    """Return the evaluator that scores architectures of a search space with a task.

    Raises:
        UsageError: There is no such space.
    """
    # If none supports the space, what the first one lacks is said when it is asked for.
    return next(iter(supported(TASK_EVALUATORS, space, plugins)), TASK_EVALUATORS[0])
