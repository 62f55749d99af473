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
            _refuse_opposites(given, args)
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


def _refuse_opposites(given: list[click.Parameter], arguments: list[str]) -> None:
    """Refuse both spellings of an option that is either, such as ``--lower-is-better`` and ``--higher-is-better``."""
    for option in dict.fromkeys(given):
        names = (set(option.opts), set(option.secondary_opts)) if isinstance(option, click.Option) else ()
        spelled = [next((word for word in arguments if word in either), None) for either in names]
        if len(spelled) > 1 and all(spelled):
            raise UsageError(f"{spelled[0]} and {spelled[1]} exclude each other: give one of them.")


def _spelled(option: click.Option) -> str:
    return max(option.opts, key=len)
