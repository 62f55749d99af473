"""How charts look, and the libraries that draw them, which are an extra."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ...core.errors import UsageError

if TYPE_CHECKING:
    import altair as alt

PALETTE = (
    "#2878c4", "#c9601a", "#14916b", "#b5569b", "#8b7d12", "#7767d3", "#cb4553", "#1c92a3", "#6f8f23", "#9a6b52",
)  # fmt: skip
"""Each has a contrast of 3 at least with white and with the dark page, so that one chart serves both."""

SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down")
"""Tell evaluators apart without colours."""

INK = "#24292f"
RULE = "#8c959f"

FONT = "DejaVu Sans, Verdana, sans-serif"
CONFIG: dict[str, Any] = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK,
        "gridColor": "#d8dee4", "domainColor": RULE, "tickColor": RULE, "labelLimit": 0, "titleLimit": 0,
    },
    "legend": {"labelFontSize": 11, "titleFontSize": 11, "labelColor": INK, "titleColor": INK, "labelLimit": 0},
    "title": {"fontSize": 12, "color": INK, "subtitleColor": INK, "subtitleFontSize": 11, "anchor": "start"},
    "text": {"color": INK},
}  # fmt: skip
"""Shared by all panels."""

LINES_OF_LABEL = "split(datum.value, '\\n')"
"""Expression by which an axis or a legend breaks labels where they have a line break."""

PLAIN_NUMBERS = "datum.label ? format(datum.value, ',~g') : ''"
"""Expression by which an axis writes numbers from a millionth to a million without exponent.

As the format of an axis, "g" gets the precision of the steps, and writes 10 and 20 as 1e+1 and 2e+1. What a logarithmic
axis leaves blank stays so.
"""

_LABEL_WIDTH = 28
_DARK_FROM = 0.6
"""Absolute value of rho from which on a cell of a matrix is so dark that its text is white."""
_WORD = re.compile(r"[^:,/= ]*[:,/= ]*")


def require_extra() -> None:
    """Check that charts can be made.

    Raises:
        UsageError: A library of the extra ``report`` is not installed.
    """
    missing = [name for name in ("altair", "vl_convert") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f'Charts and HTML reports need {" and ".join(missing)}, not installed here. Run "pip install '
            "'nasbench-toolkit[report]'\", or choose a report without charts: .tex, .md, .csv or .json."
        )


def color_of(position: int) -> str:
    """Return the colour of an evaluator by its position in the report."""
    return PALETTE[position % len(PALETTE)]


def shape_of(position: int) -> str:
    """Return the shape of an evaluator's marks by its position in the report."""
    return SHAPES[position % len(SHAPES)]


def color_of_rho() -> alt.Color:
    """Return the colours of a matrix of Spearman's rho, in the column ``rho``."""
    import altair as alt

    return alt.Color(
        "rho:Q", scale=alt.Scale(scheme="blueorange", domain=[-1, 1], reverse=True), title="Spearman's rho",
        legend=alt.Legend(orient="bottom", gradientLength=220),
    )  # fmt: skip


def text_on_rho() -> Any:
    """Return the colour of texts in such a matrix: white where a cell is dark."""
    import altair as alt

    dark = f"isValid(datum.rho) && abs(datum.rho) > {_DARK_FROM}"
    return alt.condition(dark, alt.value("white"), alt.value("black"))


def broken(label: str, width: int = _LABEL_WIDTH) -> str:
    """Break a long label into lines, behind a separator where it has one."""
    lines = [""]
    for word in _WORD.findall(label):
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(part for line in lines for part in textwrap.wrap(line, width, break_on_hyphens=False) or [line])


def row_height(labels: Sequence[str]) -> int:
    """Return the pixels that each row of a chart needs for broken labels."""
    return 8 + 14 * max((label.count("\n") + 1 for label in labels), default=1)


def rounded(value: float | None) -> float | None:
    """Return a number with the six digits that no chart shows more of; None for what is not a number."""
    if value is None or value != value:
        return None
    return float(f"{value:.6g}")
