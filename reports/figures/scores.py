"""Score against ground truth, one panel for each evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.domain import Direction
from ...core.results.records import Floats
from ..correlation import CorrelationRow
from ..run_part import Entry, RunPart
from ..wording import estimate
from .figure import Figure, Row, make_panel
from .style import PLAIN_NUMBERS, broken, color_of, rounded

if TYPE_CHECKING:
    import altair as alt

NAME = "scores"
LARGEST_DRAWN = 1000
"""Points of a panel: more hide each other, and make a page large and slow."""

_SAMPLE_SEED = 0
_SEVERAL_MAGNITUDES = 1000.0
"""Largest by smallest value from which on a linear axis shows little but the largest."""

_TITLE_WIDTH = 34


def scores_figure(part: RunPart) -> Figure | None:
    """Draw every evaluator's scores against the ground truth; None without one."""
    truth = part.selection.truth
    if truth is None or not truth.size:
        return None
    drawn = _drawn(truth.size)
    return Figure(
        name=NAME,
        title="Score against ground truth",
        caption=_caption(part, drawn.size),
        panels=tuple(make_panel(_panel(part, number, entry), entry.label) for number, entry in enumerate(part.entries)),
        rows={NAME: _rows(part, truth, drawn.tolist())},
        columns=3,
        fluid=True,
        headings={"truth": _truth_title(part)[0]}
        | {f"s{number}": _heading(entry.rows[0]) for number, entry in enumerate(part.entries)},
    )


def _drawn(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return which architectures are drawn: all, or a sample that is always the same."""
    if count <= LARGEST_DRAWN:
        return np.arange(count)
    return np.sort(np.random.default_rng(_SAMPLE_SEED).choice(count, LARGEST_DRAWN, replace=False))


def _rows(part: RunPart, truth: Floats, drawn: Sequence[int]) -> list[Row]:
    arch_ids = part.arch_ids
    scores = {f"s{number}": entry.scored[0].scores for number, entry in enumerate(part.entries)}
    return [
        {
            "architecture": arch_ids[position], "truth": rounded(float(truth[position])),
            **{field: rounded(float(values[position])) for field, values in scores.items()},
        }
        for position in drawn
    ]  # fmt: skip


def _panel(part: RunPart, number: int, entry: Entry) -> Any:
    import altair as alt

    field, row = f"s{number}", entry.rows[0]
    axis = alt.Axis(tickCount=5, labelExpr=PLAIN_NUMBERS)
    chart = alt.Chart(
        alt.NamedData(NAME),
        width=230,
        height=190,
        title=alt.TitleParams(broken(row.label, _TITLE_WIDTH).split("\n"), subtitle=_subtitle(row).split("\n")),
    )
    return (
        chart.mark_point(filled=True, size=24, opacity=0.55, color=color_of(part.order.index(row.label)))
        .transform_filter(f"isValid(datum.{field})")
        .encode(
            x=alt.X(f"{field}:Q", title=_score_title(row), scale=_scale(entry.scored[0].scores), axis=axis),
            y=alt.Y("truth:Q", title=_truth_title(part), scale=alt.Scale(zero=False)),
            tooltip=[
                alt.Tooltip("architecture:N"),
                alt.Tooltip(f"{field}:Q", title="score" if _is_maximized(row) else "minus score"),
                alt.Tooltip("truth:Q", title=_truth_title(part)[0]),
            ],
        )
    )


def _subtitle(row: CorrelationRow) -> str:
    rho = f"rho {estimate(row.rho)}" if row.rho.value is not None else row.note
    failed = f", {row.num_failures} failed (not drawn)" if row.num_failures else ""
    return f"{rho}\nn = {row.n}{failed}"


def _heading(row: CorrelationRow) -> str:
    return row.label if _is_maximized(row) else f"minus {row.label}"


def _is_maximized(row: CorrelationRow) -> bool:
    return row.evaluator.direction is Direction.MAXIMIZE


def _score_title(row: CorrelationRow) -> str:
    return "score (higher is better)" if _is_maximized(row) else "minus score (lower is better)"


def _truth_title(part: RunPart) -> list[str]:
    metric = part.table.metric
    assert metric is not None
    if metric.direction is Direction.MAXIMIZE:
        return [metric.key, f"{metric.unit} (higher is better)".lstrip()]
    return [f"minus {metric.key}", f"{metric.unit} (lower is better)".lstrip()]


def _scale(scores: Floats) -> alt.Scale:
    """Return a logarithmic scale where scores of one sign differ by magnitudes."""
    import altair as alt

    known = scores[np.isfinite(scores)]
    smallest, largest = (float(np.abs(known).min()), float(np.abs(known).max())) if known.size else (0.0, 0.0)
    if smallest == 0 or largest < _SEVERAL_MAGNITUDES * smallest or ((known > 0).any() and (known < 0).any()):
        return alt.Scale(zero=False)
    if (known > 0).all():
        return alt.Scale(type="log")
    return alt.Scale(type="symlog", constant=smallest)


def _caption(part: RunPart, drawn: int) -> str:
    total = part.table.num_compared
    seed = f" Of the run seeds it shows the first, {part.seeds[0]}." if len(part.seeds) > 1 else ""
    sample = f" Drawn: {drawn:,} of {total:,} architectures, chosen at random; rho is of all." if drawn < total else ""
    return (
        "One point an architecture: to the right the evaluator's score, upwards the ground truth, both turned so that "
        f"better is right and up. Axes are logarithmic where scores differ by magnitudes.{sample}{seed}"
    )
