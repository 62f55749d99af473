"""``nasbench report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .following_names import FollowingNames
from .options import label_direction_option, label_option, labels_option, own_labels
from .tables import format_option, print_document
from .types import FILE

if TYPE_CHECKING:
    from ..planning.own_labels import LabelFile
    from ..results.contents import Results

DEFAULT_FAILURES = "worst"


@click.command("report", cls=FollowingNames)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@format_option
@click.option(
    "--metric",
    metavar="KEY",
    help="Ground truth to compare with, or that measures what searches found.  [default: each file's first]",
)
@labels_option
@label_option
@label_direction_option
@click.option(
    "--failures",
    type=click.Choice(["worst", "omit"]),
    help=f"Of a run: rank failed architectures last, or leave them out.  [default: {DEFAULT_FAILURES}]",
)
@click.option(
    "--aggregate",
    "-a",
    "aggregates",
    multiple=True,
    metavar="NAME",
    help="Of a run: also show this aggregate, such as vote or rank_sum:naswot+synflow.  [default: those that the run "
    "asked for]",
)
@click.option(
    "--compare",
    "compared",
    multiple=True,
    metavar="NAME...",
    help="Of a run: say instead whether these evaluators differ, each pair on the same architectures; without a name, "
    "whether the best differs from the others.",
)
@click.option("--pairwise", is_flag=True, help="Of a run: also show how evaluators agree with each other.")
@click.option(
    "--curves", is_flag=True, help="Of a run: show instead how well scores rank at every point of their curves."
)
@click.option(
    "--plot",
    type=FILE,
    metavar="FILE",
    help="Of searches: draw the regret after each evaluation: .svg, .png or .pdf; .csv for its numbers.",
)
@click.option("--overwrite", is_flag=True, help="Replace the plot if it exists.")
def report_command(
    files: tuple[Path, ...], output_format: str, metric: str | None, labels: Path | None, label: str | None,
    lower_is_better: bool | None, failures: str | None, aggregates: tuple[str, ...], compared: tuple[str, ...],
    pairwise: bool, curves: bool, plot: Path | None, overwrite: bool,
) -> None:  # fmt: skip
    """Print how well evaluators rank the architectures of runs, or compare searches.

    FILE is what 'nasbench run' wrote, or one or more files of 'nasbench search', finished or not.

    A run: for each evaluator Spearman's rho and Kendall's tau-b against ground truth with 95 % intervals, number of
    architectures, failures, ties and median seconds. Higher is better for every score and every metric: losses are
    turned round first. With several run seeds: their mean, with an interval over architectures and seeds, their spread,
    and rho of the mean score. Files of the same run with other seeds are taken together.

    Several runs: every evaluator in every run, and average ranks with a critical difference.

    Searches: those that differ in their seed only become one row with mean and sample standard deviation of the ground
    truth of what they found, its rank in the table and its regret, the value of the table's best minus that.
    """
    of_a_run = {
        "--labels": labels, "--failures": failures, "--aggregate": aggregates, "--compare": compared,
        "--pairwise": pairwise, "--curves": curves,
    }  # fmt: skip
    of_searches = {"--plot": plot, "--overwrite": overwrite}
    if plot:
        from .comparison_plot import check_plot

        check_plot(plot, overwrite=overwrite)
    runs = _read_runs(files)
    if not runs:
        _refuse("searches", "a run", of_a_run)
        _report_searches(files, output_format, metric, plot)
        return
    _refuse("a run", "searches", of_searches)
    if len(runs) > 1:
        del of_a_run["--failures"], of_a_run["--aggregate"]
        _refuse("several runs", "a single one", of_a_run)
        _report_runs(runs, output_format, metric, failures or DEFAULT_FAILURES, aggregates)
    else:
        (run,) = runs
        own = own_labels(labels, label, lower_is_better)
        if own:
            run = _with_labels(run, own)
        if compared:
            _refuse("differences", "correlations", {"--pairwise": pairwise, "--curves": curves})
            _compare(run, output_format, metric, failures or DEFAULT_FAILURES, aggregates, compared)
        else:
            _report_run(run, output_format, metric, failures or DEFAULT_FAILURES, aggregates, pairwise, curves)


def _read_runs(files: Sequence[Path]) -> list[Results]:
    """Return the runs that the files hold, those that differ in their seeds only as one; none if all hold searches.

    Raises:
        UsageError: There are runs and searches, or two files hold the same.
    """
    from ...reports import join_seeds

    runs = {file: results for file in files if (results := _read_run(file)) is not None}
    if runs and len(runs) < len(set(files)):
        search = next(file for file in files if file not in runs)
        raise UsageError(
            f"'{next(iter(runs))}' was made by a run and '{search}' by a search: they share no table. Report them "
            "apart."
        )
    return join_seeds(list(runs.values()))


def _read_run(file: Path) -> Results | None:
    """Return the results of a run, None if the file is that of a search."""
    from ..results.store import RUN, open_results

    with open_results(file) as opened:
        return opened.results if opened.origin.command == RUN else None


def _with_labels(results: Results, labels: LabelFile) -> Results:
    """Put the user's own labels before the ground truth that the file has."""
    from ..planning.own_labels import read_own_labels, require_labels
    from ..plugin_manager import installed_plugins

    space = installed_plugins().search_space(results.plan.space).info.create()
    column = require_labels(read_own_labels(labels, space, results.plan.dataset).column(results.arch_ids))
    others = tuple(other for other in results.ground_truth if other.metric.key != column.metric.key)
    return replace(results, ground_truth=(column, *others))


def _refuse(given: str, wanted: str, options: Mapping[str, object]) -> None:
    set_options = [option for option, value in options.items() if value]
    if set_options:
        raise UsageError(f"{set_options[0]} is for {wanted}, and this is a report of {given}. Leave it out.")


def _report_run(
    results: Results, output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...],
    pairwise: bool, curves: bool,
) -> None:  # fmt: skip
    from ...reports import correlation_document, correlation_table, curve_document, curve_table
    from .aggregates import find_aggregates

    if curves:
        print_document(curve_document(curve_table(results, metric, failures)), output_format)
        return
    table = correlation_table(results, metric, failures, find_aggregates(results, aggregates))
    print_document(correlation_document(table, pairwise=pairwise), output_format)


def _report_runs(
    runs: Sequence[Results], output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...]
) -> None:
    from ...reports import compare_runs, correlation_table, spaces_document
    from .aggregates import find_aggregates

    tables = [correlation_table(run, metric, failures, find_aggregates(run, aggregates)) for run in runs]
    print_document(spaces_document(compare_runs(tables)), output_format)


def _compare(
    results: Results, output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...],
    compared: tuple[str, ...],
) -> None:  # fmt: skip
    from ...reports import compare_evaluators, comparison_document
    from .aggregates import find_aggregates

    names = tuple(filter(None, compared))
    table = compare_evaluators(results, names, metric, failures, find_aggregates(results, aggregates))
    print_document(comparison_document(table), output_format)


def _report_searches(files: Sequence[Path], output_format: str, metric: str | None, plot: Path | None) -> None:
    from .comparison import read_groups
    from .comparison_plot import plot_comparison
    from .comparison_table import comparison_document

    groups = read_groups(files, metric)
    print_document(comparison_document(groups), output_format)
    if plot:
        plot_comparison(groups, plot)
