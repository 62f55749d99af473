"""Where each evaluator errs most: the architectures that it ranks furthest from their place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.results.records import Floats
from ...core.statistics.ranks import average_ranks
from ..run_part import Entry, RunPart
from .figure import Figure, Row, make_panel
from .style import PLAIN_NUMBERS, RULE, broken, color_of, rounded

NAME = "errors"
SHOWN = 5
"""Architectures of each evaluator."""

_FEWEST = 10
"""With fewer architectures than this, all of them would be shown."""


def errors_figure(part: RunPart) -> Figure | None:
    """Draw the largest errors of every evaluator; None without a ground truth or with few architectures."""
    truth = part.selection.truth
    if truth is None or truth.size < _FEWEST:
        return None
    rows = [_rows(part, entry, truth) for entry in part.entries]
    seed = f" With the first of the run seeds, {part.seeds[0]}." if len(part.seeds) > 1 else ""
    return Figure(
        name=NAME,
        title="Where each evaluator errs most",
        caption=(
            f"The {SHOWN} architectures whose rank by score is furthest from their rank by ground truth, among those "
            f"with a score: a circle where the truth puts them, a filled point where the evaluator does.{seed}"
        ),
        panels=tuple(
            make_panel(_panel(part, number, entry), entry.label)
            for number, entry in enumerate(part.entries)
            if rows[number]
        ),
        rows={NAME: [row for each in rows for row in each]},
        columns=3,
        fluid=True,
    )


def most_misjudged(part: RunPart) -> tuple[str, ...]:
    """Return the architectures of the figure, each once."""
    truth = part.selection.truth
    if truth is None or truth.size < _FEWEST:
        return ()
    found = [str(row["architecture"]) for entry in part.entries for row in _rows(part, entry, truth)]
    return tuple(dict.fromkeys(found))


def _rows(part: RunPart, entry: Entry, truth: Floats) -> list[Row]:
    scores = entry.scored[0].scores
    known = np.flatnonzero(np.isfinite(scores))
    if known.size < _FEWEST:
        return []
    true_ranks, score_ranks = average_ranks(-truth[known]), average_ranks(-scores[known])
    worst = np.argsort(-np.abs(true_ranks - score_ranks), kind="stable")[:SHOWN]
    number = part.entries.index(entry)
    return [
        {
            "evaluator": entry.label, "architecture": part.arch_ids[known[position]],
            "rank by truth": rounded(float(true_ranks[position])),
            "rank by score": rounded(float(score_ranks[position])), "of": int(known.size),
            "_number": number, "_place": place,
        }
        for place, position in enumerate(worst.tolist(), start=1)
    ]  # fmt: skip


def _panel(part: RunPart, number: int, entry: Entry) -> Any:
    import altair as alt

    color = color_of(part.order.index(entry.label))
    chart = alt.Chart(
        alt.NamedData(NAME), width=230, height=90, title=alt.TitleParams(broken(entry.label, 34).split("\n"))
    )
    base = chart.transform_filter(f"datum._number === {number}").encode(
        y=alt.Y("_place:O", title=None, axis=None),
        tooltip=["architecture:N", "rank by truth:Q", "rank by score:Q", "of:Q"],
    )
    scale = alt.Scale(domain=[1, part.table.num_compared])
    axis = alt.Axis(tickCount=5, tickMinStep=1, labelExpr=PLAIN_NUMBERS)
    truth = alt.X("rank by truth:Q", title="rank (1 is best)", scale=scale, axis=axis)
    return alt.layer(
        base.mark_rule(color=RULE).encode(x=truth, x2="rank by score:Q"),
        base.mark_point(size=45, color=color).encode(x=truth),
        base.mark_point(size=45, filled=True, color=color, opacity=1).encode(x=alt.X("rank by score:Q", scale=scale)),
    )
