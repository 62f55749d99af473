"""What a score costs: seconds and memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.results.records import Floats
from ..run_part import RunPart
from .figure import Figure, make_panel
from .style import INK, LINES_OF_LABEL, PALETTE, broken, rounded, row_height

NAME = "cost"
_MEBIBYTE = 2**20
_RANGE = (10, 90)


def cost_figure(part: RunPart) -> Figure | None:
    """Draw the median seconds of a job and by how much memory rose; None if neither is known."""
    rows = []
    for row, scored in part.compared:
        processor = row.median_processor_seconds is not None
        seconds = scored.ok_processor_seconds if processor else scored.ok_seconds
        rows.append(
            {
                "evaluator": row.label, "_name": broken(row.label),
                **_spread("seconds", row.median_processor_seconds if processor else row.median_seconds, seconds),
                **_spread("memory", row.median_peak_memory, scored.ok_peak_memory, _MEBIBYTE),
                "clock": "on processors" if processor else "by the clock",
            }
        )  # fmt: skip
    names = [row["_name"] for row in rows]
    panels = [
        make_panel(_dots(names, quantity, title))
        for quantity, title in (
            ("seconds", "seconds a job (logarithmic)"), ("memory", "memory of a job, MiB (logarithmic)"),
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


def _spread(quantity: str, median: float | None, values: Floats, unit: float = 1.0) -> dict[str, Any]:
    values = values[values > 0]
    low, high = np.percentile(values, _RANGE) / unit if values.size and median else (None, None)
    return {
        quantity: rounded(median / unit) if median else None,
        f"{quantity}_low": rounded(low), f"{quantity}_high": rounded(high),
    }  # fmt: skip


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
