"""Rank correlation had an evaluator stopped earlier: at every epoch or iteration."""

from __future__ import annotations

from ..curves import CurvePoint, CurveTable
from ..thinning import evenly_spread
from .figure import Figure, make_panel
from .style import LINES_OF_LABEL, broken, color_of, rounded, shape_of

NAME = "stops"
LARGEST_DRAWN = 200
"""Points of a curve: more are not told apart."""

_SEVERAL_TIMES = 10


def stops_figure(table: CurveTable | None) -> Figure | None:
    """Draw rho along every curve; None if there is none."""
    import altair as alt

    if table is None:
        return None
    labels = list(dict.fromkeys(point.evaluator for point in table.points))
    curves = [[point for point in table.points if point.evaluator == label] for label in labels]
    drawn = [curve[position] for curve in curves for position in evenly_spread(len(curve), LARGEST_DRAWN)]
    rows = [_row(point) for point in drawn if point.rho.value is not None]
    if not rows:
        return None
    names = [broken(label) for label in labels]
    lengths = [len(curve) for curve in curves]
    logarithmic = max(lengths) > _SEVERAL_TIMES * min(lengths)
    base = alt.Chart(alt.NamedData(NAME), width=520, height=300).encode(
        x=alt.X(
            "point:Q", title="point of the curve: epoch or iteration" + (" (logarithmic)" if logarithmic else ""),
            scale=alt.Scale(type="log" if logarithmic else "linear", zero=False),
            axis=alt.Axis(tickCount=min(10, max(lengths) - 1)),
        ),
        color=alt.Color(
            "_name:N", title=None, scale=alt.Scale(domain=names, range=list(map(color_of, range(len(names))))),
            legend=alt.Legend(orient="bottom", columns=2, symbolOpacity=1, labelExpr=LINES_OF_LABEL),
        ),
        tooltip=[
            "evaluator:N", "curve:N", "point:Q", alt.Tooltip("rho:Q", format=".3f"), alt.Tooltip("low:Q", format=".2f"),
            alt.Tooltip("high:Q", format=".2f"), "n:Q",
        ],
    )  # fmt: skip
    title = f"Spearman's rho with {table.metric.key}"
    shape = alt.Shape(
        "_name:N", title=None, scale=alt.Scale(domain=names, range=list(map(shape_of, range(len(names))))),
        legend=alt.Legend(orient="bottom", columns=2, symbolOpacity=1, labelExpr=LINES_OF_LABEL),
    )  # fmt: skip
    chart = alt.layer(
        base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line().encode(y=alt.Y("rho:Q", title=title, scale=alt.Scale(zero=False))),
        base.mark_point(filled=True, size=30, opacity=1).encode(y=alt.Y("rho:Q", title=title), shape=shape),
    )
    return Figure(
        name=NAME,
        title="Rank correlation along training",
        caption="Each value of a curve in place of the score; band: the interval of rho." + _thinned(lengths),
        panels=(make_panel(chart),),
        rows={NAME: rows},
    )


def _row(point: CurvePoint) -> dict[str, str | float | None]:
    return {
        "evaluator": point.evaluator, "_name": broken(point.evaluator), "curve": point.curve, "point": point.point,
        "rho": rounded(point.rho.value), "low": rounded(point.rho.low), "high": rounded(point.rho.high), "n": point.n,
    }  # fmt: skip


def _thinned(lengths: list[int]) -> str:
    return f" Of longer curves {LARGEST_DRAWN} points are drawn." if max(lengths) > LARGEST_DRAWN else ""
