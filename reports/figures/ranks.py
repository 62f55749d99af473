"""Mean ranks over several runs, with the groups that do not differ (Demšar, JMLR 7, 2006, section 3.2.4)."""

from __future__ import annotations

from collections.abc import Sequence

from ..spaces import SpacesTable
from .figure import Figure, Row, make_panel
from .style import INK, LINES_OF_LABEL, RULE, broken, rounded, row_height

NAME = "ranks"


def ranks_figure(table: SpacesTable) -> Figure | None:
    """Draw a critical-difference diagram; None for fewer than two runs or evaluators that all runs have."""
    import altair as alt

    difference = table.ranks.critical_difference
    if difference is None:
        return None
    ranked = sorted((row.average_rank, row.label) for row in table.rows if row.average_rank is not None)
    names = [broken(label) for _, label in ranked]
    ends = dict(groups_alike([rank for rank, _ in ranked], difference))
    rows: list[Row] = [
        {
            "evaluator": label, "mean rank": rounded(rank), "_name": names[at],
            "same up to": rounded(ranked[ends[at]][0]) if at in ends else None,
        }
        for at, (rank, label) in enumerate(ranked)
    ]  # fmt: skip
    x = alt.X("mean rank:Q", title="mean rank (1 is best)", scale=alt.Scale(zero=False, nice=True))
    y = alt.Y("_name:N", sort=names, title=None, axis=alt.Axis(labelExpr=LINES_OF_LABEL))
    points = alt.Chart(alt.NamedData(NAME), width=420, height=alt.Step(max(24, row_height(names))))
    bars = points.transform_filter("isValid(datum['same up to'])")
    chart = alt.layer(
        bars.mark_rule(strokeWidth=5, color=RULE).encode(x=x, x2="same up to:Q", y=y),
        bars.mark_tick(thickness=2, size=14, color=RULE).encode(x=alt.X("same up to:Q"), y=y),
        points.mark_point(filled=True, size=70, color=INK, opacity=1).encode(
            x=x, y=y, tooltip=[alt.Tooltip("evaluator:N"), alt.Tooltip("mean rank:Q", format=".2f")]
        ),
    )
    return Figure(
        name=NAME,
        title="Mean ranks over the runs",
        caption=(
            f"The rank of each evaluator's rho among those that all {table.ranks.spaces} runs have, the mean over the "
            f"runs. A bar begins at an evaluator and reaches to the last one whose mean rank is less than "
            f"{difference:.2f} away, which is too little to tell them apart at the level of 5% (Nemenyi's test)."
        ),
        panels=(make_panel(chart),),
        rows={NAME: rows},
    )


def groups_alike(ranks: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """Return the first and last position of each largest group whose ranks differ by no more than ``difference``.

    Args:
        ranks: Ascending.
        difference: The critical difference.
    """
    groups: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(position for position, other in enumerate(ranks) if other - rank <= difference)
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return groups
