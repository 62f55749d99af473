"""Write the generated pages of the documentation: the command line, evaluators, spaces, strategies and data sources.

Usage: python docs/generate.py. A test fails when a page differs from what this script would write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from nasbench_toolkit.core.capabilities import capability_names
from nasbench_toolkit.core.cli.commands import command_group
from nasbench_toolkit.core.descriptions import Description, SearchSpaceInfo
from nasbench_toolkit.core.plugin_manager import Provided, installed_plugins
from nasbench_toolkit.core.settings import Settings, describe_settings, suffix_field

FOLDER = Path(__file__).parent
OWN_DISTRIBUTION = "nasbench-toolkit "
NOTICE = "<!-- Written by docs/generate.py from the code; do not edit. -->"


def pages() -> dict[str, str]:
    """Return the text of every generated page by file name."""
    return {
        "data-sources.md": "\n".join(_data_sources()) + "\n",
        "command-line.md": "\n".join(_command_line()) + "\n",
        "evaluators.md": "\n".join(_evaluators()) + "\n",
        "search-spaces.md": "\n".join(_search_spaces()) + "\n",
        "strategies.md": "\n".join(_strategies()) + "\n",
    }


def _command_line() -> Iterator[str]:
    yield from ("# The command line", "", NOTICE, "")
    yield "Exit codes: 0 for success, 2 for bad input, 1 for a run that failed, 130 for Ctrl-C, "
    yield "143 and 129 for SIGTERM and SIGHUP, 141 if who reads the output stops reading."
    group = command_group()
    # With the settings that the real command line has: a command keeps the help option of its first context.
    context = click.Context(group, info_name="nasbench", terminal_width=100, **group.context_settings)
    yield from _help(group, context)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _command(command, context, name)


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, terminal_width=100)
    yield from _help(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _command(found, context, inner)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from ("", f"## {context.command_path}", "", "```", command.get_help(context), "```")


def _evaluators() -> Iterator[str]:
    yield from ("# Evaluators", "", NOTICE)
    for provided in _own(installed_plugins().evaluators().values()):
        info = provided.info
        suffix = suffix_field(info.settings)
        needs = ", ".join(capability_names(info.needs)) or "nothing"
        yield from ("", f"## {info.name}", "", info.summary, "")
        yield from (f"- Score: {info.formula}", f"- Better: {info.direction}", f"- Needs: {needs}")
        yield f"- Source: {info.source}"
        if info.compared_by_default:
            yield "- Compared by a run that names no evaluator"
        if suffix is not None:
            written = info.name + suffix.metadata["name_suffix"] + "5"
            yield f"- `{written}` is short for `{info.name}:{suffix.name}=5`"
        yield from _settings(info.settings)
    yield from _aggregates()


def _settings(kind: type[Settings]) -> Iterator[str]:
    rows = describe_settings(kind)
    if rows:
        yield from ("", "| setting | type | default | meaning |", "| --- | --- | --- | --- |")
    for row in rows:
        yield f"| `{row['name']}` | {_cell(row['type'])} | {_cell(row['default'])} | {_cell(row['help'])} |"


def _strategies() -> Iterator[str]:
    yield from ("# Search strategies", "", NOTICE, "")
    yield "Settings are given with the name: `nasbench search -s local-search:move=first`. Those that train a supernet"
    yield "are explained in [weight-sharing.md](weight-sharing.md)."
    for provided in _own(installed_plugins().search_strategies().values()):
        info = provided.info
        yield from ("", f"## {info.name}", "", info.summary, "", f"- Source: {info.source}")
        yield from _settings(info.settings)
    yield from ("", "# Executors", "")
    yield "Who runs jobs, for `--executor`; how is in [many-machines.md](many-machines.md)."
    for provided in _own(installed_plugins().executors().values()):
        yield from ("", f"## {provided.info.name}", "", provided.info.summary)
        yield from _settings(provided.info.settings)


def _aggregates() -> Iterator[str]:
    yield from ("", "# Aggregates", "")
    yield "Made of the ranks of other evaluators when a report is made, for the architectures that it compares."
    for provided in _own(installed_plugins().aggregates().values()):
        info = provided.info
        made_of = ", ".join(info.components) or "the evaluators that you name, as in `rank_sum:naswot+synflow`"
        yield from ("", f"## {info.name}", "", info.summary, "")
        yield from (
            f"- Score: {info.formula}",
            "- Better: maximize",
            f"- Made of: {made_of}",
            f"- Source: {info.source}",
        )


def _search_spaces() -> Iterator[str]:
    yield from ("# Search spaces", "", NOTICE)
    for provided in _own(installed_plugins().search_spaces().values()):
        info = provided.info
        space = info.create()
        size = "those of the imported table, or else random ones" if space.size is None else f"{space.size:,}"
        yield from ("", f"## {info.name}", "", info.summary, "", f"- Architectures: {size}")
        yield from (f"- Example: `{_cell(space.example())}`", f"- Data sets: {_datasets(info)}")
        yield f"- Provides: {', '.join(capability_names(info.provides))}"
        yield f"- Source: {info.source}"
        if info.identity:
            yield f"- One architecture: {info.identity} More in [identity.md](identity.md)."
        if info.also_read:
            yield f"- Also read: {info.also_read}"
        yield from (f"- Network `{name}`: {text}" for name, text in info.network_variants.items())
        if info.requires:
            yield f"- Ground truth: the table [{info.requires}](data-sources.md), once it is imported"
            continue
        table = space.ground_truth()
        for metric in table.metrics if table else ():
            yield f"- Ground truth `{metric.key}`: {metric.unit}, {metric.direction}"


def _datasets(info: SearchSpaceInfo) -> str:
    return ", ".join(info.datasets) + "".join(f", and any other {kind}" for kind in capability_names(info.takes))


def _data_sources() -> Iterator[str]:
    yield from ("# Benchmark tables and data sets", "", NOTICE, "")
    yield "What `nasbench data` knows; how to use it is in [data.md](data.md)."
    for provided in _own(installed_plugins().data_sources().values()):
        info = provided.info
        yield from ("", f"## {info.name}", "", info.summary, "", f"- Content: {info.content}")
        yield from (f"- Source: {info.source}", f"- Licence: {info.licence}")
        if info.homepage:
            yield f"- Homepage: <{info.homepage}>"
        yield f"- Import takes: {info.accepts}"
        if info.files:
            yield from ("", "| official file | bytes | direct link | checksum |", "| --- | --- | --- | --- |")
        for file in info.files:
            size = "not published" if file.size_bytes is None else f"{file.size_bytes:,}"
            link = f"<{file.url}>" if file.url else "none"
            yield f"| `{file.name}` | {size} | {link} | {file.checksum or 'not published'} |"


def _own(provided: Iterable[Provided[Description]]) -> list[Provided[Description]]:
    return [item for item in provided if item.distribution.startswith(OWN_DISTRIBUTION)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
