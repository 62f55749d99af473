"""Render a table of curves in any format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from . import wording
from .curves import CurvePoint, CurveTable
from .rendering import Format

HEADINGS = ("Evaluator", "point", "Spearman rho", "n", "mean")

SHOWN_POINTS = 20
"""At most so many points of a curve are shown to people, evenly spread; CSV and JSON have all."""


def render_curves(table: CurveTable, output_format: str = Format.TABLE, *, width: int = 80, color: bool = False) -> str:
    """Render as text that ends with a line break.

    CSV has the columns evaluator, curve, point, rho, rho_low, rho_high, mean, n; JSON a list of objects with the same
    keys under `points`, and `schema`, `schema_version`, `plan`, `metric` and `failure_policy` beside it.

    Args:
        table: What to render.
        output_format: Value of `Format`.
        width: Columns of text, for the terminal format.
        color: Whether the terminal format may use control codes.

    Raises:
        ValueError: There is no such format.
    """
    match Format(output_format):
        case Format.CSV:
            import pandas as pd

            return str(pd.DataFrame(list(map(_columns, table.points))).to_csv(index=False, lineterminator="\n"))
        case Format.JSON:
            return json.dumps(_content(table), indent=2, allow_nan=False) + "\n"
        case Format.TABLE:
            from .render_terminal import render_grid

            return render_grid(_title(table), HEADINGS, _rows(table), _notes(table), width, color)
        case Format.MARKDOWN:
            from .render_documents import render_markdown_grid

            return render_markdown_grid(_title(table), HEADINGS, _rows(table), _notes(table))
        case Format.LATEX:
            from .render_documents import render_latex_grid

            return render_latex_grid(_title(table), HEADINGS, _rows(table), _notes(table))


def _title(table: CurveTable) -> str:
    run = f"{table.plan.space} on {table.plan.dataset}, seed {table.plan.seed}"
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
        shown = _spread([point for point in table.points if point.evaluator == label])
        rows += [
            (point.evaluator, str(point.point), wording.estimate(point.rho), str(point.n), f"{point.mean:.4g}")
            for point in shown
        ]
    return rows


def _spread(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    count = len(points)
    if count <= SHOWN_POINTS:
        return list(points)
    return [points[(index + 1) * count // SHOWN_POINTS - 1] for index in range(SHOWN_POINTS)]


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
        "plan": {"space": table.plan.space, "dataset": table.plan.dataset, "seed": table.plan.seed},
        "metric": table.metric.key,
        "failure_policy": table.failure_policy,
        "points": list(map(_columns, table.points)),
    }
