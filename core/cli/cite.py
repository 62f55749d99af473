"""``nasbench cite``."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..plain_text import printable_lines
from .each_option_once import EachOptionOnce
from .types import FILE

if TYPE_CHECKING:
    from ..descriptions import Description
    from ..plugin_manager import PluginManager, Provided

DISTRIBUTION = "nasbench-toolkit"


@click.command("cite", cls=EachOptionOnce)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
def cite_command(files: tuple[Path, ...]) -> None:
    """Print BibTeX of all that results were made with.

    FILE is what 'nasbench run' or 'nasbench search' wrote: its search space, images, evaluators, aggregates and
    strategy, and this toolkit. What has no paper, or is not installed here, is named in a comment.
    """
    from ..plugin_manager import installed_plugins

    plugins = installed_plugins()
    blocks = [_toolkit()]
    for file in files:
        for kind, name, description in _used(file, plugins):
            blocks += _citations(kind, name, description)
    click.echo("\n\n".join(dict.fromkeys(blocks)))


def _toolkit() -> str:
    version = importlib.metadata.version(DISTRIBUTION)
    title = f"{DISTRIBUTION}: Proxies for Neural Architecture Search Side by Side"
    return f"@software{{nasbenchtoolkit,\n  title   = {{{title}}},\n  version = {{{version}}},\n}}"


def _used(file: Path, plugins: PluginManager) -> Iterator[tuple[str, str, Description | None]]:
    """Yield what a file was made with: kind, name, and its description if it is installed here."""
    from ..planning.spellings import split_name
    from ..results.store import RUN, open_results

    with open_results(file) as opened:
        results, is_run = opened.results, opened.origin.command == RUN
    yield "search space", results.plan.space, _find(plugins.search_spaces(), results.plan.space)
    yield "data set", results.plan.dataset, _find(plugins.datasets(), results.plan.dataset)
    if not is_run:
        yield from _strategy(file, plugins)
    for part in results.evaluators:
        yield "evaluator", part.header.name, _find(plugins.evaluators(), part.header.name)
    for text in results.aggregates:
        name, _ = split_name(text)
        yield "aggregate", name, _find(plugins.aggregates(), name)


def _strategy(file: Path, plugins: PluginManager) -> Iterator[tuple[str, str, Description | None]]:
    from ..search.storage import read_search

    name = read_search(file).header.strategy
    yield "search strategy", name, _find(plugins.search_strategies(), name)


def _find(installed: Mapping[str, Provided[Any]], name: str) -> Description | None:
    found: Description | None = installed[name].info if name in installed else None
    return found


def _citations(kind: str, name: str, description: Description | None) -> Sequence[str]:
    if description is None:
        return [f"% {kind} {printable_lines(name)}: not installed here"]
    return description.references or [f"% {kind} {name}: {description.source}"]
