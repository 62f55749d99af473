"""Every evaluator's rank correlation with its interval."""

from __future__ import annotations

from ..run_part import RunPart
from .figure import Figure, make_panel
from .style import INK, LINES_OF_LABEL, PALETTE, RULE, broken, rounded, row_height

NAME = "correlations"


def correlations_figure(part: RunPart) -> Figure | None:
    """Draw a dot and an interval for each evaluator, best first; None if no correlation is defined."""
    import altair as alt

    defined = [row for row in part.table.rows if row.rho.value is not None]
    if not defined:
        return None
    defined.sort(key=lambda row: row.rho.value or 0.0, reverse=True)
    rows = [
        {
            "evaluator": row.label, "_name": broken(row.label), "rho": rounded(row.rho.value),
            "low": rounded(row.rho.low), "high": rounded(row.rho.high), "n": row.n, "failures": row.num_failures,
        }
        for row in defined
    ]  # fmt: skip
    names = [str(row["_name"]) for row in rows]
    tooltip = [
        alt.Tooltip("evaluator:N"), alt.Tooltip("rho:Q", format=".3f"), alt.Tooltip("low:Q", format=".2f"),
        alt.Tooltip("high:Q", format=".2f"), alt.Tooltip("n:Q"),
        alt.Tooltip("failures:Q"),
    ]  # fmt: skip
    title = f"Spearman's rho with {part.table.metric.key if part.table.metric else ''}"
    base = alt.Chart(alt.NamedData(NAME), width=420, height=alt.Step(row_height(names))).encode(
        y=alt.Y("_name:N", sort=names, title=None, axis=alt.Axis(labelExpr=LINES_OF_LABEL)), tooltip=tooltip
    )
    x = alt.X("rho:Q", title=title, scale=alt.Scale(nice=True))
    chart = alt.layer(
        alt.Chart(alt.NamedData(NAME)).mark_rule(color=RULE, strokeDash=[4, 3]).encode(x=alt.datum(0)),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(filled=True, size=55, opacity=1, color=PALETTE[0]).encode(x=x),
    )
    return Figure(
        name=NAME,
        title="How well each evaluator ranks",
        caption=f"Dot: Spearman's rho; line: its {part.table.level:.0%} interval. " + _left_out(part),
        panels=(make_panel(chart),),
        rows={NAME: rows},
    )


def _left_out(part: RunPart) -> str:
    undefined = [f"{row.label}: {row.note}" for row in part.table.rows if row.rho.value is None]
    return f"Not drawn: {'; '.join(undefined)}." if undefined else ""
