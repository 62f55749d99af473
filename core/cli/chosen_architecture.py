"""The architecture that a command is about: the one that the user spells, or the one that a search found."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import NasbenchError, UsageError
from .options import DEFAULT_SPACE
from .types import FILE

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

space_of_architecture_option = click.option(
    "--space", metavar="NAME", help=f"Search space of the architecture.  [default: {DEFAULT_SPACE}, or the search's]"
)


def search_option(verb: str) -> Callable[[CommandT], CommandT]:
    """Return the option that names a search in place of an architecture; ``verb`` is what the command does with it."""
    return click.option(
        "--search",
        type=FILE,
        metavar="FILE",
        help=f"{verb.capitalize()} what this search found instead: the architecture with the best score.",
    )


def chosen_architecture(architecture: str | None, space: str | None, search: Path | None, verb: str) -> tuple[str, str]:
    """Return the names of the search space and of the architecture, as it is spelled.

    Args:
        architecture: As the user spells it, None where a search is named.
        space: Its search space, None for the default.
        search: File of the search that found it, None where an architecture is named.
        verb: What the command does with it, for messages.

    Raises:
        UsageError: Both are named, or none is; or a space is named beside a search.
        ResultsFileError: There is no search in the file.
        NasbenchError: The search has no score.
    """
    if (architecture is None) == (search is None):
        raise UsageError(f"Name what to {verb}: either an architecture, or a search's file with --search.")
    if space and search:
        raise UsageError("--search says which space its architecture is of: leave --space away.")
    return (space or DEFAULT_SPACE, str(architecture)) if search is None else _found_by(search, verb)


def _found_by(path: Path, verb: str) -> tuple[str, str]:
    from ..search.storage import read_search

    history = read_search(path)
    positions = history.incumbents()
    if not positions or positions[-1] is None:
        raise NasbenchError(
            f"The search of '{path}' has found nothing to {verb}: no architecture has a score. 'nasbench inspect "
            f"{shlex.quote(str(path))}' says why."
        )
    return history.header.space, history.steps[positions[-1]].arch_id
