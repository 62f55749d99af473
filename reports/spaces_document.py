"""What a table of evaluators over several runs prints: for people in words, for programs in full precision."""

from __future__ import annotations

from typing import Any

from ..core.documents.document import Column, Document, Grid
from ..core.plan import seeds_in_words
from . import wording
from .correlation import CorrelationTable
from .spaces import Cell, SpacesRow, SpacesTable

SCHEMA = "nasbench-spaces"
SCHEMA_VERSION = 1

MARKED = 3
"""How many of the best of a column are marked, as in Table 2 of Li et al., NeurIPS 2021."""

_COLUMNS_AT_ONCE = 5
"""Columns that fit on 80 beside the labels."""


def spaces_document(table: SpacesTable) -> Document:
    """Describe evaluators over several runs.

    CSV has one line for each run and evaluator: run (number from 1), space, dataset, seeds, metric, failure_policy,
    plan_id; evaluator; rho, rho_low, rho_high, rank, n, failures; average_rank. What is undefined is empty. JSON has
    `schema`, `schema_version`, `runs` (list of the same facts of each run), `evaluators` (list of `evaluator`,
    `average_rank` and `runs`, a list with null where a run does not have it) and `average_ranks` (`tables`,
    `critical_difference`, `friedman`, `p`).
    """
    ranks = table.ranks
    return Document(
        title="Spearman rho of every evaluator in every run",
        blocks=(_grid(table),),
        notes=_notes(table),
        records=[
            {"run": number, **_run(run), "evaluator": row.label, **_cell(cell), "average_rank": row.average_rank}
            for number, run in enumerate(table.runs, start=1)
            for row in table.rows
            if (cell := row.cells[number - 1]) is not None
        ],
        content={
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "runs": [_run(run) for run in table.runs],
            "evaluators": [
                {
                    "evaluator": row.label,
                    "average_rank": row.average_rank,
                    "runs": [None if cell is None else _cell(cell) for cell in row.cells],
                }
                for row in table.rows
            ],
            "average_ranks": {
                "tables": ranks.spaces,
                "critical_difference": ranks.critical_difference,
                "friedman": ranks.friedman,
                "p": ranks.p,
            },
        },
    )


def _grid(table: SpacesTable) -> Grid:
    columns = [Column("Evaluator", code=True)]
    columns += [Column(f"run {number}", right=True) for number in range(1, len(table.runs) + 1)]
    columns += [Column("mean rank", right=True)] if len(table.runs) > 1 else []
    return Grid(columns, [_cells(row, table) for row in table.rows], dense=True, columns_at_once=_COLUMNS_AT_ONCE)


def _cells(row: SpacesRow, table: SpacesTable) -> tuple[str, ...]:
    average = "-" if row.average_rank is None else f"{row.average_rank:.2f}"
    return (row.label, *map(_text, row.cells), *([average] if len(table.runs) > 1 else []))


def _text(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    if cell.rho.value is None:
        return "undef."
    mark = f" ({cell.rank:g})" if cell.rank is not None and cell.rank <= MARKED else ""
    return f"{cell.rho.value:z.3f}{mark}"


def _notes(table: SpacesTable) -> list[str]:
    several_seeds = any(run.plan.further_seeds for run in table.runs)
    spaces = [run.plan.space for run in table.runs]
    return [
        *(f"run {number}: {_describe(run)}." for number, run in enumerate(table.runs, start=1)),
        f"(1) to ({MARKED}): the best of a run; those that tie share their average rank.",
        *(["rho is the mean over the run seeds where there are several."] if several_seeds else []),
        wording.POLICY[table.runs[0].failure_policy],
        *(
            note
            for number, run in enumerate(table.runs, start=1)
            for note in wording.failures(run, f" in run {number}")
        ),
        *(note for number, run in enumerate(table.runs, start=1) for note in wording.pending(run, f" in run {number}")),
        *_ranks(table),
        *(
            ["Runs of one space count as separate ones, though what holds of its architectures is in each."]
            if len(set(spaces)) < len(spaces)
            else []
        ),
        *(f"{label} has other settings or another version in some runs: kept apart." for label in table.apart),
    ]


def _ranks(table: SpacesTable) -> list[str]:
    ranks = table.ranks
    unranked = [row for row in table.rows if row.average_rank is None]
    missing = [row.label for row in unranked if None in row.cells]
    undefined = [row.label for row in unranked if None not in row.cells]
    if ranks.critical_difference is None:
        return []
    tested = (
        "" if ranks.p is None else f"; Friedman's test: chi-square {ranks.friedman:.2f}, p {wording.p_value(ranks.p)}"
    )
    return [
        f"mean rank: over the {ranks.spaces} runs; two that are further apart than {ranks.critical_difference:.2f} "
        f"differ at the level of 5% (Nemenyi's test){tested}.",
        *([f"Without a rank, since some run does not have them: {', '.join(missing)}."] if missing else []),
        *([f"Without a rank, since rho is undefined in some run: {', '.join(undefined)}."] if undefined else []),
    ]


def _describe(run: CorrelationTable) -> str:
    metric = run.metric.key if run.metric else "nothing"
    return (
        f"{run.plan.space} on {run.plan.dataset}, {seeds_in_words(run.plan.seeds)}, {run.num_compared:,} architectures "
        f"({run.plan.sampling}), compared with {metric}; plan {run.plan_id}"
    )


def _run(run: CorrelationTable) -> dict[str, Any]:
    return {
        "space": run.plan.space,
        "dataset": run.plan.dataset,
        "seeds": list(run.plan.seeds),
        "metric": run.metric.key if run.metric else None,
        "failure_policy": str(run.failure_policy),
        "plan_id": run.plan_id,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "rho": cell.rho.value,
        "rho_low": cell.rho.low,
        "rho_high": cell.rho.high,
        "rank": cell.rank,
        "n": cell.n,
        "failures": cell.failures,
    }
