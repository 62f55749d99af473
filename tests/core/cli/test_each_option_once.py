"""Options that are given twice."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from nasbench_toolkit.core.cli.commands import COMMANDS, command_group
from nasbench_toolkit.core.cli.each_option_once import EachOptionOnce
from nasbench_toolkit.core.errors import UsageError


def commands_in(group: click.Group) -> Iterator[click.Command]:
    """Return the commands of a group and of the groups in it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands_in(command)
        else:
            yield command


def test_every_command_refuses_an_option_twice() -> None:
    commands = list(commands_in(command_group()))
    assert len(commands) > len(COMMANDS)
    assert [command.name for command in commands if not isinstance(command, EachOptionOnce)] == []


@pytest.mark.parametrize(
    ("args", "option"),
    [
        (["search", "-s", "random-search", "--strategy=local-search"], "--strategy"),
        (["run", "--space", "toy", "--space", "toy"], "--space"),
        (["data", "list", "--format", "json", "--format", "csv"], "--format"),
        (["report", "r.h5", "--compare", "a", "b", "--format", "json", "--format", "csv"], "--format"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_option_with_one_value_is_refused_twice(nasbench, args, option: str) -> None:
    done = nasbench(*args)
    assert done.returncode == 2
    assert f"Error: {option} was given 2 times, but takes one value." in done.stderr


@pytest.mark.parametrize("first", ["--lower-is-better", "--higher-is-better"])
def test_both_spellings_of_a_choice_are_refused(nasbench, first: str) -> None:
    second = {"--lower-is-better": "--higher-is-better", "--higher-is-better": "--lower-is-better"}[first]
    done = nasbench("run", "-e", "params", first, second)
    assert done.returncode == 2
    assert "exclude each other: give one of them" in done.stderr
    assert first in done.stderr and second in done.stderr


def test_every_command_takes_debug() -> None:
    commands = list(commands_in(command_group()))
    assert [each.name for each in commands if [p.name for p in each.params].count("debug") != 1] == []


def test_flags_that_exclude_each_other_are_refused(nasbench) -> None:
    done = nasbench("inspect", "r.h5", "--failures", "--scores", "--scores")
    assert done.returncode == 2
    assert "Error: --failures and --scores exclude each other: give one of them." in done.stderr


@pytest.mark.parametrize("args", [["--many", "1", "--many", "2"], ["--flag", "--flag"], ["-vv"], ["--one", "1"]])
def test_options_that_may_be_repeated_are_taken(args) -> None:
    taken = []
    command = EachOptionOnce(
        "example",
        params=[
            click.Option(["--one"]),
            click.Option(["--many"], multiple=True),
            click.Option(["--flag"], is_flag=True),
            click.Option(["-v"], count=True),
        ],
        callback=lambda **options: taken.append(options),
    )
    command.main(args, standalone_mode=False)
    assert len(taken) == 1
    with pytest.raises(UsageError, match="--one was given [23] times"):
        command.main(["--one=1", *args, "--one", "2"], standalone_mode=False)
