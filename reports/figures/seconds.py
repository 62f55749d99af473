"""Rank correlation against what a score costs, evaluators that train beside those that do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..run_part import Entry, RunPart
from .figure import Figure, make_panel
from .label_places import PLACES, place_labels
from .style import INK, color_of, rounded, shape_of

NAME = "seconds"
_WIDTH, _HEIGHT = 560, 340
_LONGEST_LABEL = 30


def seconds_figure(part: RunPart) -> Figure | None:
    """Draw rho against seconds; None if no evaluator has both."""
    import altair as alt

    rows = [_row(entry) for entry in part.entries if _is_drawn(entry)]
    if not rows:
        return None
    x_domain, y_domain = _x_domain(rows), _y_domain(rows)
    points = [
        (_share(math.log(row["seconds"]), *map(math.log, x_domain)) * _WIDTH,
         (1 - _share(row["rho"], *y_domain)) * _HEIGHT)
        for row in rows
    ]  # fmt: skip
    places = place_labels(points, [row["_shown"] for row in rows], _WIDTH, _HEIGHT)
    rows = [{**row, "_place": place} for row, place in zip(rows, places, strict=True)]
    labels = [row["evaluator"] for row in rows]
    positions = [part.order.index(label) for label in labels]
    base = alt.Chart(alt.NamedData(NAME), width=_WIDTH, height=_HEIGHT).encode(
        x=alt.X(
            "seconds:Q", title=seconds_title("median seconds a job", rows),
            scale=alt.Scale(type="log", domain=list(x_domain), nice=False),
        ),
        tooltip=[
            "evaluator:N", alt.Tooltip("rho:Q", format=".3f"), alt.Tooltip("seconds:Q", title="seconds a job"),
            alt.Tooltip("clock:N", title="seconds"), "n:Q", "failures:Q",
        ],
    )  # fmt: skip
    title = f"Spearman's rho with {part.table.metric.key if part.table.metric else ''}"
    scale = alt.Scale(domain=list(y_domain), nice=False)
    color = alt.Color("evaluator:N", scale=alt.Scale(domain=labels, range=list(map(color_of, positions))), legend=None)
    shape = alt.Shape("evaluator:N", scale=alt.Scale(domain=labels, range=list(map(shape_of, positions))), legend=None)
    layers = [
        base.mark_rule(opacity=0.6).encode(y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q", color=color),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            y=alt.Y("rho:Q", title=title, scale=scale), color=color, shape=shape
        ),
        *(_labels(base, scale, number) for number in sorted(set(places))),
    ]
    return Figure(
        name=NAME,
        title="Rank correlation against cost",
        caption=_caption(part),
        panels=(make_panel(alt.layer(*layers)),),
        rows={NAME: rows},
    )


def _is_drawn(entry: Entry) -> bool:
    return entry.rho.value is not None and entry.seconds.size > 0


def _row(entry: Entry) -> dict[str, Any]:
    label, rho = entry.label, entry.rho
    return {
        "evaluator": label, "_shown": label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…",
        "seconds": rounded(float(np.median(entry.seconds))),
        "clock": "on processors" if entry.on_processors else "by the clock",
        "rho": rounded(rho.value), "low": rounded(rho.low), "high": rounded(rho.high), "n": entry.n,
        "failures": entry.failures,
    }  # fmt: skip


def _x_domain(rows: list[dict[str, Any]]) -> tuple[float, float]:
    seconds = [row["seconds"] for row in rows]
    return min(seconds) / 2, max(seconds) * 2


def _y_domain(rows: list[dict[str, Any]]) -> tuple[float, float]:
    ends = [row[key] for row in rows for key in ("rho", "low", "high") if row[key] is not None]
    return math.floor(min(ends) * 10 - 0.2) / 10, math.ceil(max(ends) * 10 + 0.2) / 10


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low)


def _labels(base: Any, scale: Any, number: int) -> Any:
    import altair as alt

    place = PLACES[number]
    # Of the evaluators whose labels have this place.
    return (
        base.transform_filter(f"datum._place == {number}")
        .mark_text(align=place.align, baseline="middle", dx=place.dx, dy=place.dy, fontSize=11, color=INK)
        .encode(y=alt.Y("rho:Q", scale=scale), text="_shown:N")
    )


def seconds_title(quantity: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Name an axis of seconds with the clocks that the rows, each with its ``clock``, are of."""
    clocks = sorted({row["clock"] for row in rows}, reverse=True)
    return f"{quantity}, {' or '.join(clocks)} (logarithmic)"


def _caption(part: RunPart) -> str:
    without = [entry.label for entry in part.entries if not _is_drawn(entry)]
    return (
        f"Line: {part.table.level:.0%} interval of rho. Seconds are on processors, or by the clock where a GPU "
        "computed; left and up is better." + (f" Not drawn: {', '.join(without)}." if without else "")
    )
