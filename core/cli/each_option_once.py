"""A command that refuses options of which click would heed the last alone: ``--space toy --space tiny``."""

from __future__ import annotations

from collections import Counter

import click

from ..errors import UsageError


class EachOptionOnce(click.Command):
    """A command whose options are given once, but for flags and those that may be repeated.

    Raises:
        UsageError: An option that takes one value is given several, or two flags are given that say the same thing
            otherwise.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look through the options before click reads their values."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(list(args))
            _refuse_repeated(given)
        return super().parse_args(ctx, args)


def _refuse_repeated(given: list[click.Parameter]) -> None:
    times = Counter(parameter for parameter in given if isinstance(parameter, click.Option) and not parameter.multiple)
    first: dict[str | None, click.Option] = {}
    for option, count in times.items():
        name = _spelled(option)
        if count > 1 and not (option.is_flag or option.count):
            raise UsageError(
                f"{name} was given {count} times, but takes one value. Run the command once for each of the values."
            )
        other = first.setdefault(option.name, option)
        if other is not option:
            raise UsageError(f"{_spelled(other)} and {name} exclude each other: give one of them.")


def _spelled(option: click.Option) -> str:
    return max(option.opts, key=len)
