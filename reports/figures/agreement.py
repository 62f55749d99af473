"""How evaluators agree with each other, whatever the ground truth says."""

from __future__ import annotations

from ..correlation import PairwiseRow
from ..run_part import RunPart
from .figure import Figure, make_panel
from .style import LINES_OF_LABEL, broken, color_of_rho, rounded, row_height, text_on_rho

NAME = "agreement"


def agreement_figure(part: RunPart) -> Figure | None:
    """Draw a matrix of Spearman's rho between evaluators; None if there are fewer than two."""
    import altair as alt

    if not part.table.pairwise:
        return None
    rows = [_row(pair, *order) for pair in part.table.pairwise for order in ((0, 1), (1, 0))]
    names = [broken(label) for label in dict.fromkeys(str(row["first"]) for row in rows)]
    # The table has every pair once: put both orders in that of the evaluators.
    names = [broken(entry.label) for entry in part.entries if broken(entry.label) in names]
    step = max(36, row_height(names))
    axis = alt.Axis(labelExpr=LINES_OF_LABEL)
    base = alt.Chart(alt.NamedData(NAME), width=alt.Step(step), height=alt.Step(step)).encode(
        x=alt.X("_second:N", sort=names, title=None, axis=alt.Axis(labelExpr=LINES_OF_LABEL, labelAngle=-60)),
        y=alt.Y("_first:N", sort=names, title=None, axis=axis),
        tooltip=["first:N", "second:N", alt.Tooltip("rho:Q", format=".3f"), "n:Q"],
    )
    chart = alt.layer(
        base.mark_rect(color="#d8dee4").encode(),
        base.transform_filter("isValid(datum.rho)").mark_rect().encode(color=color_of_rho()),
        base.mark_text(fontSize=11).encode(text="_shown:N", color=text_on_rho()),
    )
    return Figure(
        name=NAME,
        title="Agreement between evaluators",
        caption="Spearman's rho between scores, over the architectures that both have done.",
        panels=(make_panel(chart),),
        rows={NAME: rows},
    )


def _row(pair: PairwiseRow, one: int, other: int) -> dict[str, str | float | None]:
    labels = (pair.first, pair.second)
    return {
        "first": labels[one], "second": labels[other], "_first": broken(labels[one]),
        "_second": broken(labels[other]), "rho": rounded(pair.rho), "n": pair.n,
        "_shown": "undef." if pair.rho is None else f"{pair.rho:z.2f}",
    }  # fmt: skip
