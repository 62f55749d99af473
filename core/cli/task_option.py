"""``--task FILE``: short for the searchable setting of the evaluators that have one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .types import FILE

if TYPE_CHECKING:
    from ..plugin_manager import PluginManager

task_option = click.option(
    "--task",
    type=FILE,
    metavar="FILE",
    help="Task for the evaluators that take one; if no evaluator is named, for the one that the space supports. "
    "'nasbench task-search' finds tasks.",
)


def give_task(evaluators: tuple[str, ...], task: Path, space: str, plugins: PluginManager) -> tuple[str, ...]:
    """Write the file into the searchable setting of those evaluators that lack it.

    Args:
        evaluators: As the user named them; if there are none, the one that has such a setting and supports the space.
        task: The file.
        space: Name of the search space.
        plugins: Where evaluators come from.

    Raises:
        UsageError: Not a single evaluator lacks it.
    """
    from ..planning.default_evaluators import searchable_evaluator

    evaluators = evaluators or (searchable_evaluator(space, plugins),)
    lacking = {text: setting for text in evaluators if (setting := _lacking_setting(text, plugins))}
    if not lacking:
        raise UsageError(
            f"--task {task} is for none of the evaluators {', '.join(evaluators)}: they take no task, or have one "
            f"already. Add --evaluator {searchable_evaluator(space, plugins)}, or leave --task out."
        )
    return tuple(
        f"{text}{',' if ':' in text else ':'}{lacking[text]}={task}" if text in lacking else text for text in evaluators
    )


def _lacking_setting(text: str, plugins: PluginManager) -> str | None:
    """Return the searchable setting of an evaluator, None if it has none or was given a value."""
    from ..planning.spellings import parse_evaluator_spelling, split_name

    if split_name(text)[0] in plugins.aggregates():
        return None
    spelling = parse_evaluator_spelling(text, plugins)
    searchable = plugins.evaluator(spelling.name).info.searchable
    return searchable.name if searchable and searchable.name not in spelling.settings else None
