"""What a score costs: seconds and memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.results.records import Floats
from ..run_part import RunPart
from .figure import Figure, make_panel
from .seconds import seconds_title
from .style import INK, LINES_OF_LABEL, PALETTE, broken, rounded, row_height

NAME = "cost"
_MEBIBYTE = 2**20
_PERCENTILES = (10, 50, 90)


def cost_figure(part: RunPart) -> Figure | None:
    """Draw the median seconds of a job and by how much memory rose; None if neither is known."""
    rows = [
        {
            "evaluator": entry.label, "_name": broken(entry.label), **_spread("seconds", entry.seconds),
            **_spread("memory", entry.peak_memory / _MEBIBYTE),
            "clock": "on processors" if entry.on_processors else "by the clock",
        }
        for entry in part.entries
    ]  # fmt: skip
    names = [row["_name"] for row in rows]
    panels = [
        make_panel(_dots(names, quantity, title))
        for quantity, title in (
            ("seconds", seconds_title("seconds a job", [row for row in rows if row["seconds"]])),
            ("memory", "memory of a job, MiB (logarithmic)"),
        )
        if any(row[quantity] for row in rows)
    ]  # fmt: skip
    if not panels:
        return None
    return Figure(
        name=NAME,
        title="What a score costs",
        caption="Dot: median of the jobs with a score; line: from the 10th to the 90th percentile. Seconds are on "
        "processors, or by the clock where a GPU computed; memory is by how much it rose while the job ran. "
        "What is not known is not drawn.",
        panels=tuple(panels),
        rows={NAME: rows},
        columns=2,
    )


def _spread(quantity: str, values: Floats) -> dict[str, Any]:
    low, median, high = np.percentile(values, _PERCENTILES) if values.size else (None, None, None)
    return {quantity: rounded(median), f"{quantity}_low": rounded(low), f"{quantity}_high": rounded(high)}


def _dots(names: list[str], quantity: str, title: str) -> Any:
    import altair as alt

    # Zero has no place on a logarithmic axis.
    base = (
        alt.Chart(alt.NamedData(NAME), width=270, height=alt.Step(row_height(names)))
        .transform_filter(f"datum.{quantity} > 0")
        .encode(
            y=alt.Y("_name:N", sort=names, title=None, axis=alt.Axis(labelExpr=LINES_OF_LABEL)),
            tooltip=["evaluator:N", *(f"{quantity}{end}:Q" for end in ("", "_low", "_high")), "clock:N"],
        )
    )
    scale = alt.Scale(type="log")
    low = alt.X(f"{quantity}_low:Q", title=title, scale=scale)
    return alt.layer(
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=low, x2=f"{quantity}_high:Q"),
        base.mark_point(filled=True, size=55, opacity=1, color=PALETTE[0]).encode(
            x=alt.X(f"{quantity}:Q", title=title, scale=scale)
        ),
    )
