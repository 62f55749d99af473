"""A command one of whose options takes all words that follow it: ``--compare first second``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from .each_option_once import EachOptionOnce


class FollowingNames(EachOptionOnce):
    """A command whose option ``--compare`` takes any number of words, up to the next option; none is the empty word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give each word an option of its own, as click reads them."""
        return super().parse_args(ctx, spread_names(args, "--compare"))


def spread_names(args: Sequence[str], option: str) -> list[str]:
    """Write ``option`` before each of the words that follow it."""
    spread: list[str] = []
    following = False
    for position, arg in enumerate(args):
        if arg == option:
            following = True
            none = position + 1 == len(args) or args[position + 1].startswith("-")
            spread += [f"{option}="] if none else []
        elif following and not arg.startswith("-"):
            spread += [f"{option}={arg}"]
        else:
            following = False
            spread.append(arg)
    return spread
