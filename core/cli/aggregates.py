"""The aggregates that a report of some results is to show."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..errors import UnknownNameError
from ..plain_text import printable_lines
from ..planning.aggregation import AggregateSpec, find_aggregate
from ..planning.spellings import split_name
from ..plugin_manager import installed_plugins
from ..results.contents import Results


def find_aggregates(results: Results, asked: Sequence[str] = ()) -> list[AggregateSpec]:
    """Return the aggregates that a run asked for, and those that the user asks for now.

    One that the run asked for and that is not installed here is left out with a note.

    Raises:
        UsageError: The user asks for one that does not exist.
    """
    plugins = installed_plugins()
    specs = []
    for text in dict.fromkeys((*results.aggregates, *asked)):
        spec = find_aggregate(text, plugins)
        if spec is not None:
            specs.append(spec)
        elif text in asked:
            name = split_name(text)[0]
            raise UnknownNameError("aggregate", name, plugins.aggregates(), "Run 'nasbench evaluators' to list them.")
        else:
            click.echo(
                f"Note: the run asked for the aggregate '{printable_lines(text)}', which is not installed here.",
                err=True,
            )
    return specs
