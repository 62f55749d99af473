"""What a table of curves prints: for people twenty points of each curve, for programs all of them."""

from __future__ import annotations

from typing import Any

from ..core.documents.document import Column, Document, Grid
from ..core.plan import seeds_in_words
from . import wording
from .curves import CurvePoint, CurveTable
from .thinning import evenly_spread

_COLUMNS = (
    Column("Evaluator", code=True),
    Column("point", right=True),
    Column("Spearman rho"),
    Column("n", right=True),
    Column("mean", right=True),
)

SHOWN_POINTS = 20
"""At most so many points of a curve are shown to people, evenly spread; CSV and JSON have all."""


def curve_document(table: CurveTable) -> Document:
    """Describe a table of curves.

    CSV has the columns evaluator, curve, point, rho, rho_low, rho_high, mean, n; JSON a list of objects with the same
    keys under `points`, and `schema`, `schema_version`, `plan`, `metric` and `failure_policy` beside it.
    """
    return Document(
        title=_title(table),
        blocks=(Grid(_COLUMNS, _rows(table), dense=True),),
        notes=_notes(table),
        records=list(map(_columns, table.points)),
        content=_content(table),
    )


def _title(table: CurveTable) -> str:
    run = f"{table.plan.space} on {table.plan.dataset}, {seeds_in_words(table.plan.seeds)}"
    return f"{run}: scores at every point of their curves, compared with {table.metric.key}"


def _notes(table: CurveTable) -> list[str]:
    curves = dict.fromkeys((point.evaluator, point.curve) for point in table.points)
    return [
        "point: position in the curve, such as the epoch; mean: mean value of the curve there; n: architectures.",
        *(f"{evaluator}: curve {curve}." for evaluator, curve in curves),
        wording.POLICY[table.failure_policy],
    ]


def _rows(table: CurveTable) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for label in dict.fromkeys(point.evaluator for point in table.points):
        points = [point for point in table.points if point.evaluator == label]
        rows += [_cells(points[position]) for position in evenly_spread(len(points), SHOWN_POINTS)]
    return rows


def _cells(point: CurvePoint) -> tuple[str, ...]:
    return point.evaluator, str(point.point), wording.estimate(point.rho), str(point.n), f"{point.mean:.4g}"


def _columns(point: CurvePoint) -> dict[str, Any]:
    return {
        "evaluator": point.evaluator,
        "curve": point.curve,
        "point": point.point,
        "rho": point.rho.value,
        "rho_low": point.rho.low,
        "rho_high": point.rho.high,
        "mean": point.mean,
        "n": point.n,
    }


def _content(table: CurveTable) -> dict[str, Any]:
    return {
        "schema": "nasbench-curves",
        "schema_version": 1,
        "plan": {"space": table.plan.space, "dataset": table.plan.dataset, "seeds": list(table.plan.seeds)},
        "metric": table.metric.key,
        "failure_policy": table.failure_policy,
        "points": list(map(_columns, table.points)),
    }
