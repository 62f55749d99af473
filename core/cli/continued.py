"""``--resume FILE``: the options come from the command that made the file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ..errors import UsageError

# What says nothing of how the results were made.
OF_THIS_TIME = frozenset({"output", "resume", "overwrite", "retry_failed", "in_process", "output_format"})

_META = f"{__name__}.Continued"


@dataclass(frozen=True)
class Continued:
    """A file that is continued with the options that it was made with.

    Attributes:
        path: The file.
        command: The command that made it.
        options: What that command was told, by parameter.
        seed: The run's seed.
        arch_ids: The architectures that it has.
        sampling: How they were chosen.
    """

    path: Path
    command: str
    options: Mapping[str, Any]
    seed: int
    arch_ids: tuple[str, ...]
    sampling: str


def continued(context: click.Context) -> Continued | None:
    """Return what ``--resume FILE`` continues, None if the option was given without a file or not at all."""
    found: Continued | None = context.meta.get(_META)
    return found


def was_given(context: click.Context, name: str) -> bool:
    """Whether the user gave an option on this command line."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _resume(context: click.Context, _parameter: click.Parameter, value: str | None) -> bool:
    """Let options that are not given be those of the file's own command."""
    if value:
        found = _read(Path(value), context.command)
        context.meta[_META] = found
        kept = {name: given for name, given in found.options.items() if name not in OF_THIS_TIME}
        # A search with several seeds has a file for each.
        one_seed = {"seed": found.seed, "seeds": 1} if context.command.name == "search" else {}
        context.default_map = {**kept, **one_seed, "output": value}
    return value is not None


resume_option = click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    is_eager=True,
    metavar="[FILE]",
    callback=_resume,
    help="Continue the results file where it stopped; with FILE, all other options are those that it was made with.",
)


def _read(path: Path, command: click.Command) -> Continued:
    from ..results.store import open_results

    with open_results(path) as opened:
        results, made_by = opened.results, opened.origin.command
    if made_by != command.name:
        raise UsageError(
            f"'{path}' was made by 'nasbench {made_by}'. Continue it with 'nasbench {made_by} --resume "
            f"{shlex.quote(str(path))}'."
        )
    text = str(results.environment.get("command", ""))
    arguments = _arguments(text, made_by)
    if arguments is None:
        raise UsageError(
            f"'{path}' does not say with which options it was made. Give them again, with --output "
            f"{shlex.quote(str(path))} --resume."
        )
    with command.make_context(made_by, arguments) as context:
        options = dict(context.params)
    plan = results.plan
    return Continued(path, text, options, plan.seed, results.arch_ids, plan.sampling)


def _arguments(text: str, command: str) -> list[str] | None:
    """Return the arguments of a command line, without a ``--resume`` of its own; None if it is of another command."""
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    if command not in words[1:]:
        return None
    return _without_resume(words[words.index(command, 1) + 1 :])


def _without_resume(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for position, word in enumerate(words):
        is_its_file = position > 0 and words[position - 1] == "--resume" and not word.startswith("-")
        if word != "--resume" and not word.startswith("--resume=") and not is_its_file:
            kept.append(word)
    return kept
