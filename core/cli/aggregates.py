"""The aggregates that a report of some results is to show."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..errors import UnknownNameError, UsageError
from ..plain_text import printable_lines
from ..planning.aggregation import AggregateSpec, find_aggregate, match_components
from ..planning.spellings import split_name
from ..plugin_manager import installed_plugins
from ..results.contents import Results


def find_aggregates(results: Results, asked: Sequence[str] = ()) -> list[AggregateSpec]:
    """Return the aggregates that a run asked for, and those that the user asks for now.

    One that the run asked for and that is not installed here, or whose evaluators the file lacks, is left out with a
    note: what was computed is to be shown.

    Raises:
        UsageError: The user asks for one that does not exist.
    """
    plugins = installed_plugins()
    specs = []
    for text in dict.fromkeys((*results.aggregates, *asked)):
        spec = find_aggregate(text, plugins)
        if spec is None and text in asked:
            name = split_name(text)[0]
            raise UnknownNameError("aggregate", name, plugins.aggregates(), "Run 'nasbench evaluators' to list them.")
        problem = "which is not installed here" if spec is None else ""
        if spec is not None and text not in asked:
            problem = _problem(spec, results)
        if problem:
            click.echo(f"Note: the run asked for the aggregate '{printable_lines(text)}', {problem}.", err=True)
        elif spec is not None:
            specs.append(spec)
    return specs


def _problem(spec: AggregateSpec, results: Results) -> str:
    """Return why an aggregate cannot be made of the evaluators of a file, empty if it can."""
    try:
        match_components(spec, results.headers)
    except UsageError as error:
        return f"which cannot be made: {printable_lines(str(error)).rstrip('.')}"
    return ""
