"""Every evaluator's rank correlation with its interval."""

from __future__ import annotations

from ..run_part import RunPart
from .figure import Figure, make_panel
from .style import INK, LINES_OF_LABEL, PALETTE, RULE, broken, rounded, row_height

NAME = "correlations"
SEEDS = "correlations of seeds"


def correlations_figure(part: RunPart) -> Figure | None:
    """Draw a dot and an interval for each evaluator, best first; None if no correlation is defined."""
    import altair as alt

    defined = [entry for entry in part.entries if entry.rho.value is not None]
    if not defined:
        return None
    defined.sort(key=lambda entry: entry.rho.value or 0.0, reverse=True)
    rows = [
        {
            "evaluator": entry.label, "_name": broken(entry.label), "rho": rounded(entry.rho.value),
            "low": rounded(entry.rho.low), "high": rounded(entry.rho.high), "n": entry.n, "failures": entry.failures,
        }
        for entry in defined
    ]  # fmt: skip
    of_seeds = [
        {"evaluator": row.label, "_name": broken(row.label), "seed": row.seed, "rho": rounded(row.rho.value)}
        for entry in defined
        for row in entry.rows
        if len(entry.rows) > 1
    ]
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
    seeds = alt.Chart(alt.NamedData(SEEDS)).mark_tick(color=PALETTE[1], thickness=2, size=12)
    chart = alt.layer(
        alt.Chart(alt.NamedData(NAME)).mark_rule(color=RULE, strokeDash=[4, 3]).encode(x=alt.datum(0)),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(filled=True, size=55, opacity=1, color=PALETTE[0]).encode(x=x),
        *([seeds.encode(x=x, y=base.encoding.y, tooltip=["evaluator:N", "seed:Q", "rho:Q"])] if of_seeds else []),
    )
    return Figure(
        name=NAME,
        title="How well each evaluator ranks",
        caption=f"Dot: Spearman's rho; line: its {part.table.level:.0%} interval. " + _seeds(part) + _left_out(part),
        panels=(make_panel(chart),),
        rows={NAME: rows} | ({SEEDS: of_seeds} if of_seeds else {}),
    )


def _seeds(part: RunPart) -> str:
    if len(part.seeds) == 1:
        return ""
    return (
        f"Rho is the mean over {len(part.seeds)} run seeds, its interval over architectures and seeds; ticks: seeds. "
    )


def _left_out(part: RunPart) -> str:
    undefined = [f"{entry.label}: {entry.note}" for entry in part.entries if entry.rho.value is None]
    return f"Not drawn: {'; '.join(undefined)}." if undefined else ""
