"""The list of commands, imported only when one is asked for, so that ``nasbench --help`` is instant."""

from __future__ import annotations

import importlib
import importlib.metadata

import click

# Command, its module here, and its one-sentence help, so that listing the commands imports none of them.
COMMANDS = {
    "run": ("run", "Score architectures with evaluators and write a results file."),
    "search": ("search", "Search a space for the architecture with the best score."),
    "task-search": ("task_search", "Search for the proxy task that ranks a few labelled architectures best."),
    "report": ("report", "Print rank correlations of a run, or compare searches."),
    "inspect": ("inspect", "Say what a results file holds."),
    "reproduce": ("reproduce", "Make a published table again, and print its figures beside ours."),
    "canonicalize": ("canonicalize", "Translate architectures into the spelling of results files."),
    "cite": ("cite", "Print BibTeX of all that results were made with."),
    "draw": ("draw", "Draw the cells of an architecture."),
    "export": ("export", "Write the network of an architecture for use without this toolkit."),
    "merge": ("merge", "Join shards of one plan into one results file."),
    "spaces": ("listing", "List installed search spaces, or explain one."),
    "evaluators": ("listing", "List installed evaluators, or explain one."),
    "strategies": ("listing", "List installed search strategies, or explain one."),
    "executors": ("listing", "List what can run jobs, here or on other machines, or explain one."),
    "datasets": ("listing", "List installed data sets, or explain one."),
    "plugins": ("listing", "List installed plugins, or explain one."),
    "data": ("data", "List, import, download and check benchmark tables and data sets."),
}


# Key in the dictionary that a command shares with the group that it belongs to.
_DEBUG = f"{__name__}.debug"


def debug_option() -> click.Option:
    """Return the option that every command takes; the main function reads it from the arguments."""
    return click.Option(
        ["--debug"], is_flag=True, expose_value=False, callback=_note_debug, help="Show a traceback with an error."
    )


def is_debugging(context: click.Context) -> bool:
    """Whether the user gave ``--debug``, to the command or before its name."""
    return bool(context.meta.get(_DEBUG))


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[_DEBUG] = value or context.meta.get(_DEBUG, False)
    return value


def _with_subcommands(command: click.Command) -> list[click.Command]:
    return [command, *(command.commands.values() if isinstance(command, click.Group) else ())]


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, the main ones first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __package__)
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        for each in _with_subcommands(command):
            if not any(parameter.name == "debug" for parameter in each.params):
                each.params.append(debug_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def command_group() -> click.Group:
    """Return ``nasbench`` with all its commands."""
    group = LazyGroup(
        "nasbench",
        help="Judge neural architecture search proxies side by side, on identical architectures.",
        params=[debug_option()],
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    return click.version_option(importlib.metadata.version("nasbench-toolkit"), prog_name="nasbench")(group)
