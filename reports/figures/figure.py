"""A chart, described once: panels in Vega-Lite that read rows by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.documents.machine import render_csv
from .style import CONFIG

if TYPE_CHECKING:
    import altair as alt

Row = Mapping[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""What specifications are written in."""


@dataclass(frozen=True)
class Panel:
    """One plot.

    Attributes:
        specification: Vega-Lite, with its data named instead of included.
        evaluator: Label of the only evaluator that it shows, empty if it shows several.
    """

    specification: Mapping[str, Any]
    evaluator: str = ""


@dataclass(frozen=True)
class Figure:
    """A chart of one or more panels.

    Attributes:
        name: What its file is called, without ending.
        title: What it shows.
        caption: How to read it, and what is not in it.
        panels: In reading order.
        rows: Rows by the name that the panels give them; None for what is not known. Columns whose names begin with an
            underscore serve the layout only.
        columns: Panels side by side where the form has a fixed width.
        fluid: Whether panels may be made narrower.
        headings: What columns are called in a table of the rows, where their name does not tell.
    """

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    rows: Mapping[str, Sequence[Row]]
    columns: int = 1
    fluid: bool = False
    headings: Mapping[str, str] = field(default_factory=dict)


def make_panel(chart: alt.TopLevelMixin, evaluator: str = "") -> Panel:
    """Return the panel of a chart, after Altair has checked it against the schema of Vega-Lite."""
    specification = chart.to_dict()
    del specification["$schema"], specification["config"]
    return Panel(specification, evaluator)


def whole_specification(figures: Sequence[Figure]) -> dict[str, Any]:
    """Return one specification, with its rows, of all panels of figures that stand below each other."""
    groups = [_concatenated(figure, f"{number} ") for number, figure in enumerate(figures)]
    return {
        "$schema": SCHEMA,
        "config": CONFIG,
        "background": "white",
        "datasets": {
            f"{number} {name}": list(rows)
            for number, figure in enumerate(figures)
            for name, rows in figure.rows.items()
        },
        **(groups[0] if len(groups) == 1 else {"vconcat": groups}),
        "resolve": {"scale": {"color": "independent", "shape": "independent"}},
    }


def figure_table(figure: Figure) -> str:
    """Return the numbers of a figure as CSV: what it draws, with as many digits."""
    return render_csv([
        {figure.headings.get(key, key): value for key, value in row.items() if not key.startswith("_")}
        for rows in figure.rows.values()
        for row in rows
    ])  # fmt: skip


def _concatenated(figure: Figure, prefix: str) -> dict[str, Any]:
    return {
        "concat": [_with_prefix(panel.specification, prefix) for panel in figure.panels],
        "columns": figure.columns,
        "title": {"text": figure.title, "anchor": "start", "fontSize": 15, "offset": 12},
    }


def _with_prefix(specification: Any, prefix: str) -> Any:
    """Return a specification that reads rows whose names have a prefix, which tells apart those of several figures."""
    if isinstance(specification, list):
        return [_with_prefix(item, prefix) for item in specification]
    if not isinstance(specification, Mapping):
        return specification
    return {
        key: {"name": prefix + value["name"]} if key == "data" else _with_prefix(value, prefix)
        for key, value in specification.items()
    }
