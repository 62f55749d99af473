"""``nasbench report``."""

from __future__ import annotations

from pathlib import Path

import click

FORMATS = ("table", "markdown", "csv", "latex", "json")


@click.command("report")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "-f",
    "output_format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="Form of the output.",
)
@click.option("--metric", metavar="KEY", help="Ground truth to compare with.  [default: the file's first]")
@click.option(
    "--failures",
    type=click.Choice(["worst", "omit"]),
    default="worst",
    show_default=True,
    help="Rank failed architectures last, or leave them out.",
)
@click.option(
    "--aggregate",
    "-a",
    "aggregates",
    multiple=True,
    metavar="NAME",
    help="Also show this aggregate, such as vote or rank_sum:naswot+synflow.  [default: those that the run asked for]",
)
@click.option("--pairwise", is_flag=True, help="Also show how evaluators agree with each other.")
@click.option("--curves", is_flag=True, help="Show instead how well scores rank at every point of their curves.")
def report_command(
    file: Path, output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...], pairwise: bool,
    curves: bool,
) -> None:  # fmt: skip
    """Print rank correlations from a results file.

    For each evaluator: Spearman's rho and Kendall's tau-b against ground truth with bootstrap 95 % intervals,
    number of architectures, failures, ties and median seconds. Higher is better for every score and every metric:
    losses are turned round first.
    """
    from ...reports import correlation_table, curve_table, render, render_curves
    from ..results.store import read_results
    from .aggregates import find_aggregates

    results = read_results(file)
    if curves:
        click.echo(render_curves(curve_table(results, metric, failures), output_format), nl=False)
        return
    table = correlation_table(results, metric, failures, find_aggregates(results, aggregates))
    click.echo(render(table, output_format, pairwise=pairwise), nl=False)
