"""``nasbench inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from ..plain_text import printable_lines
from .commands import is_debugging
from .each_option_once import EachOptionOnce
from .tables import format_option, print_document, print_record, print_rows
from .types import FILE

if TYPE_CHECKING:
    from ..results.contents import EvaluatorResults, Results


_FAILURE_FIELDS = ("evaluator", "architecture", "status", "message")


@click.command("inspect", cls=EachOptionOnce)
@click.argument("file", type=FILE)
@click.option(
    "--architectures",
    "part",
    flag_value="architectures",
    help="Print only the architectures, one a line; 'nasbench run --architectures' takes such a list.",
)
@click.option(
    "--failures",
    "part",
    flag_value="failures",
    help="Print only the jobs that ended without a score, and why; with --debug also where the evaluator failed.",
)
@click.option("--scores", "part", flag_value="scores", help="Print only the scores, one row an architecture.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="KEY",
    help="With --scores: ground truth to show beside them; repeat for more, or all.  [default: the file's first]",
)
@click.option("--sort", metavar="NAME", help="With --scores: put the best of this evaluator or metric first.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    help="With --scores: only so many, the best of the first evaluator unless --sort names another.",
)
@click.option(
    "--spelled",
    type=FILE,
    metavar="FILE",
    help="With --scores: one row for each architecture that this text or CSV lists, with its spelling, to join by.",
)
@format_option
@click.pass_context
def inspect_command(
    context: click.Context, file: Path, part: str | None, metrics: tuple[str, ...], sort: str | None, top: int | None,
    spelled: Path | None, output_format: str,
) -> None:  # fmt: skip
    """Say what a results file holds: plan, software, hardware, evaluators and how their jobs ended."""
    from ..results.store import read_results

    if part != "scores" and (metrics or sort or top or spelled):
        raise UsageError("--metric, --sort, --top and --spelled are for the scores: add --scores, or leave them out.")
    results = read_results(file)
    if part is None:
        print_record(_summarise(results), output_format)
    elif part == "architectures" and output_format == "table":
        click.echo(printable_lines("\n".join(results.arch_ids)))
    elif part == "scores":
        _print_scores(results, metrics, sort, top, spelled, output_format)
    else:
        rows = {"architectures": _architectures, "failures": _failures}[part](results)
        if part == "failures" and is_debugging(context):
            _print_failures_with_tracebacks(rows, results, output_format)
        elif part == "failures" and output_format == "table":
            _print_failures_by_cause(rows)
        else:
            print_rows(rows, output_format, _FAILURE_FIELDS if part == "failures" else ())


def _print_scores(
    results: Results,
    metrics: tuple[str, ...],
    sort: str | None,
    top: int | None,
    spelled: Path | None,
    output_format: str,
) -> None:
    from ...reports import score_document
    from .aggregates import find_aggregates

    spellings = None if spelled is None else _spellings(results, spelled)
    print_document(score_document(results, find_aggregates(results), metrics, sort, top, spellings), output_format)


def _spellings(results: Results, file: Path) -> dict[str, list[str]]:
    """Return the spellings of a file by canonical string; say which architectures the results lack."""
    from ..planning.listed import read_spellings
    from ..plugin_manager import installed_plugins

    space = installed_plugins().search_space(results.plan.space).info.create()
    spelled: dict[str, list[str]] = {}
    for text in read_spellings(file):
        spelled.setdefault(space.canonicalize(text), []).append(text)
    missing = spelled.keys() - set(results.arch_ids)
    if missing:
        click.echo(f"Note: {len(missing)} architectures of '{file}' are not in the results and have no row.", err=True)
    return spelled


def _summarise(results: Results) -> dict[str, Any]:
    return {
        "space": results.plan.space,
        "version of the space": results.plan.space_version,
        "dataset": results.plan.dataset,
        "version of the dataset": results.plan.dataset_version or None,
        "seed": results.plan.seed,
        **({"further seeds": list(results.plan.further_seeds)} if results.plan.further_seeds else {}),
        "architectures": len(results.arch_ids),
        "sampling": results.plan.sampling,
        "plan": results.plan_id,
        **({"aggregates": list(results.aggregates)} if results.aggregates else {}),
        "ground truth": [
            {
                "metric": column.metric.key,
                "unit": column.metric.unit,
                "reduction": column.metric.reduction or None,
                "noise ceiling": column.noise_ceiling,
            }
            for column in results.ground_truth
        ],
        "evaluators": [_summarise_evaluator(results, part) for part in results.evaluators],
        "batches": [
            {"evaluator": results.name_of(part), "batch": name, "digest": digest}
            for part in results.evaluators
            for name, digest in part.batches.items()
        ],
        "settings": [{"evaluator": header.label, "settings": dict(header.settings)} for header in results.headers],
        "environment": [{"what": name, "value": value} for name, value in results.environment.items()],
    }


def _summarise_evaluator(results: Results, part: EvaluatorResults) -> dict[str, Any]:
    return {
        "evaluator": results.name_of(part),
        "jobs": {str(status): count for status, count in sorted(part.records.count_by_status().items())},
        "distribution": part.header.distribution,
        "definition": part.header.version,
    }


def _architectures(results: Results) -> list[dict[str, Any]]:
    return [{"architecture": arch_id} for arch_id in results.arch_ids]


def _failures(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "evaluator": results.name_of(part),
            "architecture": results.arch_ids[row],
            "status": str(part.records[row].status),
            "message": part.records[row].message,
        }
        for part in results.evaluators
        for row in _failed_rows(part)
    ]


def _print_failures_by_cause(rows: list[dict[str, Any]]) -> None:
    """Print each cause once with the architectures below it, whose strings are long and are there to be copied."""
    causes: dict[str, list[str]] = {}
    for row in rows:
        causes.setdefault(f"{row['evaluator']}, {row['status']}: {row['message']}", []).append(row["architecture"])
    blocks = ["\n  ".join([cause, *arch_ids]) for cause, arch_ids in causes.items()]
    click.echo(printable_lines("\n\n".join(blocks) or "No job failed."))


def _print_failures_with_tracebacks(rows: list[dict[str, Any]], results: Results, output_format: str) -> None:
    """Print what ``_failures`` lists with the traceback of each; in a terminal one below the other."""
    tracebacks = [part.records[row].traceback for part in results.evaluators for row in _failed_rows(part)]
    if output_format != "table":
        traced = [{**row, "traceback": trace} for row, trace in zip(rows, tracebacks, strict=True)]
        print_rows(traced, output_format, (*_FAILURE_FIELDS, "traceback"))
        return
    for row, trace in zip(rows, tracebacks, strict=True):
        heading = f"{row['evaluator']} on {row['architecture']}: {row['status']}, {row['message']}"
        click.echo(
            printable_lines(
                f"{heading}\n{trace or 'No traceback: the evaluator said so itself, or its process ended.'}\n"
            )
        )


def _failed_rows(part: EvaluatorResults) -> list[int]:
    rows: list[int] = (part.records.done & ~part.records.ok).nonzero()[0].tolist()
    return rows
