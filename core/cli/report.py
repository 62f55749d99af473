"""``nasbench report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ..errors import UsageError
from .following_names import FollowingNames
from .options import label_direction_option, label_option, labels_option, own_labels
from .tables import format_option, print_document
from .types import FILE

if TYPE_CHECKING:
    from ...reports.report import Report
    from ..documents.document import Document
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
@click.option(
    "--further",
    is_flag=True,
    help="Of a run: also show Pearson's r, weighted tau, nDCG, the share of the best tenth that is found, and the best "
    "of the ten best scores.",
)
@click.option("--pairwise", is_flag=True, help="Of a run: also show how evaluators agree with each other.")
@click.option(
    "--curves", is_flag=True, help="Of a run: show instead how well scores rank at every point of their curves."
)
@click.option(
    "--output",
    "-o",
    type=FILE,
    metavar="PATH",
    help="Write the report instead of printing it: .html for one page with charts; .svg, .png or .pdf for the charts; "
    ".tex, .md, .csv or .json for the tables; a name without an ending for a folder with all of that.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
def report_command(
    files: tuple[Path, ...], output_format: str, metric: str | None, labels: Path | None, label: str | None,
    lower_is_better: bool | None, failures: str | None, aggregates: tuple[str, ...], compared: tuple[str, ...],
    further: bool, pairwise: bool, curves: bool, output: Path | None, overwrite: bool,
) -> None:  # fmt: skip
    """Print how well evaluators rank the architectures of runs, or compare searches.

    FILE is what 'nasbench run' or 'nasbench search' wrote, finished or not; one or more.

    A run: for each evaluator Spearman's rho and Kendall's tau-b against ground truth with 95 % intervals, number of
    architectures, failures, ties and median seconds. Higher is better for every score and every metric: losses are
    turned round first. With several run seeds: their mean, with an interval over architectures and seeds, their spread,
    and rho of the mean score. Files of the same run with other seeds are taken together.

    Several runs: every evaluator in every run, and average ranks with a critical difference.

    Runs and searches together: the report of the runs, and behind it that of the searches.

    Searches: those that differ in their seed only become one row with mean and sample standard deviation of the ground
    truth of what they found, its rank in the table and its regret, the value of the table's best minus that,
    or the best value that is known for it.
    """
    of_a_run = {
        "--labels": labels, "--failures": failures, "--aggregate": aggregates, "--compare": compared,
        "--further": further, "--pairwise": pairwise, "--curves": curves,
    }  # fmt: skip
    policy = failures or DEFAULT_FAILURES
    if output:
        from ...reports.forms import check_output

        check_output(output, files, overwrite=overwrite)
        _refuse_format(output)
    runs, searches = _read_runs(files)
    if runs and searches:
        del of_a_run["--failures"], of_a_run["--aggregate"]
        _refuse("runs and searches", "a single run", of_a_run)
        _report_both(runs, searches, output_format, metric, policy, aggregates, output)
        return
    if not runs:
        _refuse("searches", "a run", of_a_run)
        _report_searches(files, output_format, metric, output)
        return
    if len(runs) > 1:
        del of_a_run["--failures"], of_a_run["--aggregate"]
        _refuse("several runs", "a single one", of_a_run)
        _report_runs(runs, output_format, metric, policy, aggregates, output)
    else:
        (run,) = runs
        own = own_labels(labels, label, lower_is_better)
        if own:
            run = _with_labels(run, own)
        if compared:
            _refuse("differences", "correlations", {"--further": further, "--pairwise": pairwise, "--curves": curves})
            _compare(run, output_format, metric, policy, aggregates, compared, output)
        else:
            _report_run(run, output_format, metric, policy, aggregates, further, pairwise, curves, output)


def _read_runs(files: Sequence[Path]) -> tuple[list[Results], list[Path]]:
    """Return the runs that the files hold, those that differ in their seeds only as one, and the files of searches.

    Raises:
        UsageError: Two files hold the same run.
    """
    from ...reports import join_seeds

    read = {file: _read_run(file) for file in files}
    runs = [results for results in read.values() if results is not None]
    return join_seeds(runs) if runs else [], [file for file, results in read.items() if results is None]


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


def _refuse_format(output: Path) -> None:
    source = click.get_current_context().get_parameter_source("output_format")
    if source is ParameterSource.COMMANDLINE:
        raise UsageError(f"The form of '{output}' is that of its ending: leave --format out, or --output to print.")


def _refuse_with_charts(options: Mapping[str, bool]) -> None:
    for option, value in options.items():
        if value:
            raise UsageError(f"{option} is for tables alone: pages, charts and folders show it anyway. Leave it out.")


def _report_run(
    results: Results, output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...],
    further: bool, pairwise: bool, curves: bool, output: Path | None,
) -> None:  # fmt: skip
    from ...reports import correlation_document, correlation_table, curve_document, curve_table, run_report
    from .aggregates import find_aggregates

    made = find_aggregates(results, aggregates)
    if output and not _is_document(output):
        _refuse_with_charts({"--further": further, "--pairwise": pairwise, "--curves": curves})
        _write(run_report(results, metric, failures, made), output)
    elif curves:
        _deliver(curve_document(curve_table(results, metric, failures)), output_format, output)
    else:
        table = correlation_table(results, metric, failures, made, further=further)
        if further and table.metric is None:
            raise UsageError(
                "--further compares scores with a ground truth, and these results have none. Leave it out."
            )
        _deliver(correlation_document(table, pairwise=pairwise), output_format, output)


def _report_runs(
    runs: Sequence[Results], output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...],
    output: Path | None,
) -> None:  # fmt: skip
    from ...reports import compare_runs, correlation_table, runs_report, spaces_document
    from .aggregates import find_aggregates

    made = [(run, find_aggregates(run, aggregates)) for run in runs]
    if output and not _is_document(output):
        _write(runs_report(made, metric, failures), output)
        return
    tables = [correlation_table(run, metric, failures, each) for run, each in made]
    _deliver(spaces_document(compare_runs(tables)), output_format, output)


def _report_both(
    runs: Sequence[Results], searches: Sequence[Path], output_format: str, metric: str | None, failures: str,
    aggregates: tuple[str, ...], output: Path | None,
) -> None:  # fmt: skip
    from ...reports import (
        compare_runs,
        correlation_document,
        correlation_table,
        run_report,
        runs_report,
        spaces_document,
    )
    from .aggregates import find_aggregates
    from .comparison import read_groups
    from .comparison_report import search_report
    from .comparison_table import comparison_document

    made = [(run, find_aggregates(run, aggregates)) for run in runs]
    groups = read_groups(searches, metric)
    if output and not _is_document(output):
        of_runs = (
            runs_report(made, metric, failures)
            if len(made) > 1
            else run_report(made[0][0], metric, failures, made[0][1])
        )
        of_searches = replace(search_report(groups), subject="searches", folder="searches")
        _write(replace(of_runs, parts=(*of_runs.parts, of_searches)), output)
        return
    if output or output_format in ("csv", "json"):
        raise UsageError(
            "Runs and searches have different columns: report them apart, or together as a page or a folder, such as "
            "--output report.html."
        )
    tables = [correlation_table(run, metric, failures, each) for run, each in made]
    print_document(
        spaces_document(compare_runs(tables)) if len(tables) > 1 else correlation_document(tables[0]), output_format
    )
    click.echo()
    print_document(comparison_document(groups), output_format)


def _compare(
    results: Results, output_format: str, metric: str | None, failures: str, aggregates: tuple[str, ...],
    compared: tuple[str, ...], output: Path | None,
) -> None:  # fmt: skip
    from ...reports import compare_evaluators, comparison_document
    from .aggregates import find_aggregates

    _require_document(output, "differences")
    names = tuple(filter(None, compared))
    table = compare_evaluators(results, names, metric, failures, find_aggregates(results, aggregates))
    _deliver(comparison_document(table), output_format, output)


def _report_searches(files: Sequence[Path], output_format: str, metric: str | None, output: Path | None) -> None:
    from .comparison import read_groups
    from .comparison_report import search_report
    from .comparison_table import comparison_document

    groups = read_groups(files, metric)
    if output and not _is_document(output):
        _write(search_report(groups), output)
    else:
        _deliver(comparison_document(groups), output_format, output)


def _is_document(output: Path) -> bool:
    from ...reports.forms import is_document

    return is_document(output)


def _require_document(output: Path | None, kind: str) -> None:
    """Refuse to write anything but tables of a kind of report that has tables only."""
    if output and not _is_document(output):
        raise UsageError(f"A report of {kind} has tables only, for .tex, .md, .csv or .json; got '{output}'.")


def _deliver(document: Document, output_format: str, output: Path | None) -> None:
    """Print tables, or write them in the form of the output's ending."""
    if output is None:
        print_document(document, output_format)
        return
    from ...reports.forms import write_document

    write_document(document, output)
    click.echo(f"Report: {output}", err=True)


def _write(report: Report, output: Path) -> None:
    from ...reports.forms import write_report

    write_report(report, output)
    click.echo(f"Report: {output}", err=True)
