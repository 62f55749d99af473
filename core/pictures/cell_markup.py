"""Cells as SVG elements for pages: small, with text as text, and in the colour of the page around them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from html import escape

from ..plain_text import printable
from .cell_layout import FONT_SIZE, LABEL_FONT_SIZE, Box, CellLayout, lay_out
from .cells import COLOURS, STRUCTURE
from .graph import CellEdge, CellGraph, NodeKind, OperationFamily

_UNITS_AN_INCH = 72
_MARGIN = 6.0
_HEADING_HEIGHT = 16.0
_GAP = 10.0
_ARROW = (5.0, 2.2)


def cell_markup(graphs: Sequence[CellGraph]) -> str:
    """Return one `svg` element that shows the cells, one below the other; several have their names above them.

    Lines have the colour of the text around the element. All labels are escaped.
    """
    layouts = [lay_out(graph) for graph in graphs]
    width = max(layout.width for layout in layouts) * _UNITS_AN_INCH + 2 * _MARGIN
    parts, top = [], _MARGIN
    for graph, layout in zip(graphs, layouts, strict=True):
        if len(graphs) > 1:
            parts.append(
                f'<text x="{_MARGIN:g}" y="{top + 10:.1f}" class="name">{escape(printable(graph.name))}</text>'
            )
            top += _HEADING_HEIGHT
        left = (width - layout.width * _UNITS_AN_INCH) / 2
        parts.append(f'<g transform="translate({left:.1f} {top:.1f})">{"".join(_cell(graph, layout))}</g>')
        top += layout.height * _UNITS_AN_INCH + _GAP
    height = top - _GAP + _MARGIN
    # Text fills and line colours are inherited.
    return (
        f'<svg class="cell" viewBox="0 0 {width:.1f} {height:.1f}" width="{width * 1.2:.0f}" '
        f'height="{height * 1.2:.0f}" font-size="{FONT_SIZE:g}" fill="currentColor" stroke="none">'
        f"{''.join(parts)}</svg>"
    )


def _cell(graph: CellGraph, layout: CellLayout) -> Iterator[str]:
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        yield from _edge(edge, [_place(layout, x, y) for x, y in route])
    for edge, label in zip(graph.edges, layout.labels, strict=True):
        if label:
            yield from _box(layout, label, edge.label, COLOURS[edge.family], LABEL_FONT_SIZE, 5)
    for node, box in zip(graph.nodes, layout.nodes, strict=True):
        colours = COLOURS[node.family] if node.kind is NodeKind.OPERATION else STRUCTURE
        corner = box.height * _UNITS_AN_INCH / 2 if node.kind is NodeKind.SUM else 3.5
        yield from _box(layout, box, node.label, colours, FONT_SIZE, corner)


def _place(layout: CellLayout, x: float, y: float) -> tuple[float, float]:
    """Return a point in units of the picture, in which y grows downwards."""
    return x * _UNITS_AN_INCH, (layout.height - y) * _UNITS_AN_INCH


def _box(
    layout: CellLayout, box: Box, label: str, colours: tuple[str, str], font_size: float, corner: float
) -> Iterator[str]:
    fill, outline = colours
    x, y = _place(layout, box.x, box.y)
    width, height = box.width * _UNITS_AN_INCH, box.height * _UNITS_AN_INCH
    yield (
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{corner:.1f}" fill="{fill}" stroke="{outline}"/>'
    )
    size = "" if font_size == FONT_SIZE else f' font-size="{font_size:g}"'
    baseline = y + 0.35 * font_size
    shown = escape(printable(label))
    yield f'<text x="{x:.1f}" y="{baseline:.1f}" text-anchor="middle" fill="#000"{size}>{shown}</text>'


def _edge(edge: CellEdge, points: Sequence[tuple[float, float]]) -> Iterator[str]:
    passes_nothing = bool(edge.label) and edge.family is OperationFamily.ZERO
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for number, (start, end) in enumerate(itertools.pairwise(points)):
        if number % 2 == 0 or start[1] == end[1]:
            path.append(f"L{end[0]:.1f} {end[1]:.1f}")
        else:
            middle = (start[0] + end[0]) / 2
            path.append(f"C{middle:.1f} {start[1]:.1f} {middle:.1f} {end[1]:.1f} {end[0]:.1f} {end[1]:.1f}")
    (x, y), (length, half) = points[-1], _ARROW
    colour = COLOURS[OperationFamily.ZERO][1] if passes_nothing else "currentColor"
    dashes = ' stroke-dasharray="3 2"' if passes_nothing else ""
    yield f'<path d="{"".join(path)}" fill="none" stroke="{colour}"{dashes}/>'
    yield f'<path d="M{x:.1f} {y:.1f}l{-length:g} {-half:g}v{2 * half:g}z" fill="{colour}"/>'
