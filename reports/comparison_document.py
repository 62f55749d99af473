"""What a comparison of evaluators prints: for people in words and a table, for programs in full precision."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..core.documents.document import Column, Document, Grid
from ..core.plan import seeds_in_words
from . import wording
from .comparison import ComparisonRow, ComparisonTable

SCHEMA = "nasbench-comparison"
SCHEMA_VERSION = 1

_COLUMNS = (
    Column("First", code=True),
    Column("Second", code=True),
    Column("rho first - second"),
    Column("p", right=True),
    Column("p (Holm)", right=True),
    Column("n", right=True),
)


def comparison_document(table: ComparisonTable) -> Document:
    """Describe comparisons.

    CSV has one line a comparison: space, dataset, seeds, metric, failure_policy; first, second (labels); first_rho,
    second_rho; difference, difference_low, difference_high; p, p_holm; n. What is undefined is empty. JSON has the same
    under `comparisons`, with `schema`, `schema_version`, `plan`, `metric`, `failure_policy`, `best` (null where the
    evaluators were named) and `bootstrap` (`resamples`, `seed`) beside it.
    """
    return Document(
        title=_title(table),
        blocks=(Grid(_COLUMNS, [_cells(row) for row in table.rows], dense=True),),
        notes=_notes(table),
        records=[_common(table) | _record(row) for row in table.rows],
        content={
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "plan": asdict(table.plan),
            "metric": table.metric.key,
            "failure_policy": table.failure_policy,
            "best": table.best or None,
            "bootstrap": asdict(table.resampling),
            "comparisons": [_record(row) for row in table.rows],
        },
    )


def _title(table: ComparisonTable) -> str:
    plan = table.plan
    return (
        f"{plan.space} on {plan.dataset}, {seeds_in_words(plan.seeds)}: do evaluators differ in how well they rank "
        f"{table.metric.key}?"
    )


def _cells(row: ComparisonRow) -> tuple[str, ...]:
    difference = row.difference
    text = wording.interval(difference.value, difference.low, difference.high)
    return row.first, row.second, text, wording.p_value(difference.p), wording.p_value(row.corrected_p), str(row.n)


def _notes(table: ComparisonTable) -> list[str]:
    seeds = len(table.plan.seeds)
    over = "architectures" if seeds == 1 else f"architectures and of the {seeds} run seeds"
    best = (
        f"All were compared with {table.best}, the best on these architectures: being chosen so overstates its lead "
        "a little."
    )
    comparisons = len(table.rows)
    return [
        "rho first - second: Spearman's rho of the first less that of the second on the same architectures, with a 95% "
        "interval.",
        f"p: of a difference as large if there were none, by Student's t with the standard error over {over} in "
        f"{table.resampling.resamples:,} bootstrap resamples that both share, seed {table.resampling.seed}.",
        f"p (Holm): the same, corrected for {comparisons} comparison{'s' if comparisons > 1 else ''}.",
        *([best] if table.best else []),
        wording.POLICY[table.failure_policy],
    ]


def _common(table: ComparisonTable) -> dict[str, Any]:
    return {
        "space": table.plan.space,
        "dataset": table.plan.dataset,
        "seeds": list(table.plan.seeds),
        "metric": table.metric.key,
        "failure_policy": str(table.failure_policy),
    }


def _record(row: ComparisonRow) -> dict[str, Any]:
    return {
        "first": row.first,
        "second": row.second,
        "first_rho": row.first_rho,
        "second_rho": row.second_rho,
        "difference": row.difference.value,
        "difference_low": row.difference.low,
        "difference_high": row.difference.high,
        "p": row.difference.p,
        "p_holm": row.corrected_p,
        "n": row.n,
    }
