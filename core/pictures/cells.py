"""Draws cells: one picture for an architecture, with a panel for each of its cells."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UnsupportedSearchSpaceError
from ..plain_text import printable_lines
from .cell_layout import FONT_SIZE, LABEL_FONT_SIZE, Box, CellLayout, lay_out, text_width
from .files import check_picture, plain_style, save
from .graph import CellEdge, CellGraph, NodeKind, OperationFamily

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

    from ..interfaces import SearchSpace

_MARGIN = 0.08
_PANEL_GAP = 0.3
_LINE_HEIGHT = 0.16

# Fill and outline. Hues of Okabe & Ito, told apart with any kind of colour vision; their lightness differs as well, for
# print in grey: convolutions are dark, pooling is lighter, the identity is white.
COLOURS = {
    OperationFamily.CONVOLUTION: ("#9fcbe8", "#0072b2"),
    OperationFamily.POOLING: ("#fbe0b0", "#d55e00"),
    OperationFamily.IDENTITY: ("#ffffff", "#009e73"),
    OperationFamily.ZERO: ("#ffffff", "#9a9a9a"),
    OperationFamily.OTHER: ("#ecd3e1", "#b0417f"),
}
STRUCTURE = ("#ececec", "#4d4d4d")


def write_picture(space: SearchSpace, arch_id: str, path: Path, title: str = "") -> None:
    """Draw the cells of an architecture, one above the other.

    Args:
        space: Its search space.
        arch_id: Canonical string.
        path: Where to; an existing file is replaced. The suffix says which format: .svg, .png or .pdf.
        title: Written above the cells, if it is not empty.

    Raises:
        UsageError: The suffix is another.
        UnsupportedSearchSpaceError: The space draws no pictures.
        ResultsWriteError: The file cannot be written.
    """
    check_picture(path)
    graphs = space.cell_graphs(arch_id)
    if not graphs:
        raise UnsupportedSearchSpaceError(
            f"The search space '{space.name}' does not say what its architectures look like, so there is nothing to "
            "draw. Its plugin would implement 'cell_graphs'."
        )
    draw_cells(graphs, path, printable_lines(title), about=arch_id)


def draw_cells(graphs: Sequence[CellGraph], path: Path, title: str = "", about: str = "") -> None:
    """Draw cells into one file.

    Args:
        graphs: The cells; with more than one, each has its name above it.
        path: Where to, as :func:`write_picture`.
        title: Written above all.
        about: Goes into the file's properties, where it does not disturb.
    """
    with plain_style():
        from matplotlib.figure import Figure

        layouts = [lay_out(graph) for graph in graphs]
        headings = [graph.name if len(graphs) > 1 else "" for graph in graphs]
        width = max(_title_width(title), *(layout.width for layout in layouts)) + 2 * _MARGIN
        height = _height(layouts, headings, title)
        figure = Figure(figsize=(width, height))
        # Inches are the unit of everything.
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
        axes.set_axis_off()
        top = height - _MARGIN
        top -= _write_heading(axes, title, top, weight="normal")
        for graph, heading, layout in zip(graphs, headings, layouts, strict=True):
            top -= _write_heading(axes, heading, top, weight="bold")
            _draw_cell(axes, graph, layout, (width - layout.width) / 2, top - layout.height)
            top -= layout.height + _PANEL_GAP
        save(figure, path, about)


def _title_width(title: str) -> float:
    return max((text_width(line, FONT_SIZE) for line in title.splitlines()), default=0.0)


def _height(layouts: Sequence[CellLayout], headings: Sequence[str], title: str) -> float:
    gaps = _PANEL_GAP * (len(layouts) - 1) + 2 * _MARGIN
    return sum(layout.height for layout in layouts) + gaps + sum(_lines(text) for text in (title, *headings))


def _lines(text: str) -> float:
    """Return the height that a heading takes."""
    return _LINE_HEIGHT * (1 + text.count("\n")) + _MARGIN if text else 0.0


def _write_heading(axes: Axes, text: str, top: float, weight: str) -> float:
    # No mathematics: a dollar sign is a dollar sign.
    axes.text(_MARGIN, top, text, fontsize=FONT_SIZE, va="top", weight=weight, parse_math=False)
    return _lines(text)


def _draw_cell(axes: Axes, graph: CellGraph, layout: CellLayout, left: float, bottom: float) -> None:
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        _draw_edge(axes, edge, [(left + x, bottom + y) for x, y in route])
    for edge, label in zip(graph.edges, layout.labels, strict=True):
        if label:
            box = label.moved(left, bottom)
            _draw_box(axes, box, edge.label, _rounded(box, 0.07), COLOURS[edge.family], LABEL_FONT_SIZE)
    for node, place in zip(graph.nodes, layout.nodes, strict=True):
        box = place.moved(left, bottom)
        colours = COLOURS[node.family] if node.kind is NodeKind.OPERATION else STRUCTURE
        shape = _round(box) if node.kind is NodeKind.SUM else _rounded(box, 0.05)
        _draw_box(axes, box, node.label, shape, colours, FONT_SIZE)


def _draw_box(axes: Axes, box: Box, label: str, shape: Patch, colours: tuple[str, str], font_size: float) -> None:
    fill, outline = colours
    shape.set(facecolor=fill, edgecolor=outline, linewidth=1.0, zorder=3)
    axes.add_patch(shape)
    axes.text(
        box.x, box.y, label, fontsize=font_size, ha="center", va="center_baseline", color="black", zorder=4,
        parse_math=False,
    )  # fmt: skip


def _rounded(box: Box, radius: float) -> Patch:
    from matplotlib.patches import FancyBboxPatch

    style: Any = f"round,pad=0,rounding_size={radius}"
    return FancyBboxPatch((box.left, box.y - box.height / 2), box.width, box.height, style)


def _round(box: Box) -> Patch:
    from matplotlib.patches import Ellipse

    return Ellipse((box.x, box.y), box.width, box.height)


def _draw_edge(axes: Axes, edge: CellEdge, points: Sequence[tuple[float, float]]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    passes_nothing = bool(edge.label) and edge.family is OperationFamily.ZERO
    vertices, codes = [points[0]], [Curve.MOVETO]
    for number, (start, end) in enumerate(itertools.pairwise(points)):
        if number % 2 == 0 or start[1] == end[1]:
            vertices.append(end)
            codes.append(Curve.LINETO)
        else:
            middle = (start[0] + end[0]) / 2
            vertices += [(middle, start[1]), (middle, end[1]), end]
            codes += [Curve.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Curve(vertices, codes),
            arrowstyle="-|>,head_length=4,head_width=1.8",
            mutation_scale=1.0,
            shrinkA=0,
            shrinkB=0,
            linewidth=1.0,
            linestyle=(0, (3, 2)) if passes_nothing else "solid",
            color=COLOURS[OperationFamily.ZERO][1] if passes_nothing else "#303030",
            capstyle="butt",
            zorder=1 if passes_nothing else 2,
        )
    )
