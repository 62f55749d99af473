"""Every evaluator in every run."""

from __future__ import annotations

from ..spaces import SpacesTable
from .figure import Figure, make_panel
from .style import INK, LINES_OF_LABEL, broken, color_of_rho, rounded, row_height, text_on_rho

NAME = "runs"


def spaces_figure(table: SpacesTable) -> Figure:
    """Draw a matrix of Spearman's rho with each run's ground truth."""
    import altair as alt

    runs = [f"{number}: {run.plan.space}, {run.plan.dataset}" for number, run in enumerate(table.runs, start=1)]
    rows = [
        {
            "evaluator": row.label, "_name": broken(row.label), "run": run, "_run": broken(run, 18),
            "rho": rounded(cell.rho.value), "low": rounded(cell.rho.low), "high": rounded(cell.rho.high), "n": cell.n,
            "failures": cell.failures, "_shown": "undef." if cell.rho.value is None else f"{cell.rho.value:z.2f}",
        }
        for row in table.rows
        for run, cell in zip(runs, row.cells, strict=True)
        if cell is not None
    ]  # fmt: skip
    names = [broken(row.label) for row in table.rows]
    base = alt.Chart(alt.NamedData(NAME), width=alt.Step(110), height=alt.Step(max(26, row_height(names)))).encode(
        x=alt.X(
            "_run:N", sort=[broken(run, 18) for run in runs], title=None,
            axis=alt.Axis(labelExpr=LINES_OF_LABEL, labelAngle=0),
        ),
        y=alt.Y("_name:N", sort=names, title=None, axis=alt.Axis(labelExpr=LINES_OF_LABEL)),
        tooltip=[
            alt.Tooltip("evaluator:N"), alt.Tooltip("run:N"), alt.Tooltip("rho:Q", format=".3f"),
            alt.Tooltip("low:Q", format=".2f"), alt.Tooltip("high:Q", format=".2f"), alt.Tooltip("n:Q"),
            alt.Tooltip("failures:Q"),
        ],
    )  # fmt: skip
    known = "isValid(datum.rho)"
    chart = alt.layer(
        base.transform_filter(known).mark_rect().encode(color=color_of_rho()),
        base.transform_filter(known).mark_text(fontSize=11).encode(text="_shown:N", color=text_on_rho()),
        base.transform_filter("!" + known).mark_text(fontSize=11, color=INK).encode(text="_shown:N"),
    )
    return Figure(
        name=NAME,
        title="Evaluators in all runs",
        caption="Spearman's rho with the ground truth of each run; empty where a run does not have the evaluator.",
        panels=(make_panel(chart),),
        rows={NAME: rows},
    )
