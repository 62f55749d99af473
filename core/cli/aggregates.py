"""The aggregates that a report of some results is to show."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..plain_text import printable_lines
from ..planning.aggregation import AggregateSpec, aggregates_to_show
from ..plugin_manager import installed_plugins
from ..results.contents import Results


def find_aggregates(results: Results, asked: Sequence[str] = ()) -> list[AggregateSpec]:
    """Return the aggregates that a run asked for, and those that the user asks for now.

    One of the run's that cannot be made here is left out with a note.

    Raises:
        UsageError: The user asks for one that does not exist.
    """
    specs, left_out = aggregates_to_show(results.aggregates, asked, results.headers, installed_plugins())
    for note in left_out:
        click.echo(f"Note: {printable_lines(note)}", err=True)
    return specs
