"""What searches had found after each evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..thinning import evenly_spread
from .figure import Figure, make_panel
from .style import LINES_OF_LABEL, PLAIN_NUMBERS, broken, color_of, rounded

if TYPE_CHECKING:
    import altair as alt

NAME = "regret"
LARGEST_DRAWN = 2000
"""Points of a curve: more are not told apart."""

_LEGEND_WIDTH = 70
_DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3))


@dataclass(frozen=True)
class SearchProgress:
    """What searches that differ in their seed only had found after each evaluation.

    Attributes:
        label: What tells them from others.
        quantity: What is drawn, with its unit, such as the regret.
        is_regret: Whether it is a regret, of which 0 is best, and differences between small ones matter.
        means: Mean over searches after each evaluation, None where none had found anything.
        errors: Standard error of the mean, None for one search.
    """

    label: str
    quantity: str
    is_regret: bool
    means: Sequence[float | None]
    errors: Sequence[float | None]


def regret_figures(progress: Sequence[SearchProgress]) -> tuple[Figure, ...]:
    """Draw one chart for each quantity; searches of the same quantity share one."""
    quantities = list(dict.fromkeys(each.quantity for each in progress))
    return tuple(
        _figure([each for each in progress if each.quantity == quantity], "" if number == 0 else f"-{number + 1}")
        for number, quantity in enumerate(quantities)
    )


def _figure(progress: Sequence[SearchProgress], suffix: str) -> Figure:
    import altair as alt

    name, quantity = NAME + suffix, progress[0].quantity
    labels = [each.label for each in progress]
    rows = [row for each in progress for row in _rows(each)]
    names = [broken(label, _LEGEND_WIDTH) for label in labels]
    colors = alt.Scale(domain=names, range=list(map(color_of, range(len(names)))))
    dashes = alt.Scale(domain=names, range=[list(_DASHES[number % len(_DASHES)]) for number in range(len(names))])
    legend = alt.Legend(orient="bottom", columns=1, symbolOpacity=1, labelExpr=LINES_OF_LABEL)
    base = alt.Chart(alt.NamedData(name), width=520, height=320).encode(
        x=alt.X("evaluations:Q", title="evaluations", axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("_name:N", title=None, scale=colors, legend=legend),
        tooltip=["search:N", "evaluations:Q", alt.Tooltip("mean:Q"), alt.Tooltip("error:Q", title="standard error")],
    )
    scale, axis = _heights(progress[0], rows)
    chart = alt.layer(
        base.mark_area(opacity=0.18, interpolate="step-after").encode(
            y=alt.Y("low:Q", title=quantity, scale=scale, axis=axis), y2="high:Q"
        ),
        base.mark_line(interpolate="step-after").encode(
            y=alt.Y("mean:Q", title=quantity, scale=scale, axis=axis),
            strokeDash=alt.StrokeDash("_name:N", title=None, scale=dashes, legend=legend),
        ),
    )
    longest = max(len(each.means) for each in progress)
    return Figure(
        name=name,
        title="What searches had found after each evaluation",
        caption="Line: mean over seeds; band: one standard error to both sides, where there are several seeds."
        + (f" Of longer curves {LARGEST_DRAWN} points are drawn." if longest > LARGEST_DRAWN else ""),
        panels=(make_panel(chart),),
        rows={name: rows},
    )


def _rows(progress: SearchProgress) -> list[dict[str, str | float | None]]:
    positions = evenly_spread(len(progress.means), LARGEST_DRAWN)
    return [_row(progress, position) for position in positions if progress.means[position] is not None]


def _row(progress: SearchProgress, position: int) -> dict[str, str | float | None]:
    mean, error = progress.means[position], progress.errors[position]
    assert mean is not None
    low, high = (None, None) if error is None else (mean - error, mean + error)
    if low is not None and progress.is_regret:
        low = max(0.0, low)
    return {
        "search": progress.label, "_name": broken(progress.label, _LEGEND_WIDTH), "evaluations": position + 1,
        "mean": rounded(mean),
        "error": rounded(error), "low": rounded(low), "high": rounded(high),
    }  # fmt: skip


def _heights(progress: SearchProgress, rows: Sequence[dict[str, str | float | None]]) -> tuple[alt.Scale, alt.Axis]:
    """Return scale and axis: of regret logarithmic down to the smallest above zero, with zero below it."""
    import altair as alt

    means = [float(row["mean"]) for row in rows if row["mean"]]
    positive = [mean for mean in means if mean > 0]
    if not progress.is_regret or not positive:
        return alt.Scale(zero=False), alt.Axis()
    lowest, highest = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    ticks = [0.0, *(factor * 10.0**power for power in range(lowest, highest + 1) for factor in (1, 3))]
    return alt.Scale(type="symlog", constant=10.0**lowest), alt.Axis(values=ticks, labelExpr=PLAIN_NUMBERS)
