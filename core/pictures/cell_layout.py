"""Places of everything in the picture of a cell, in inches: x to the right, y upwards."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from .graph import CellEdge, CellGraph, CellNode, NodeKind
from .layers import Item, Layers, arrange

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FONT_SIZE = 9.0
LABEL_FONT_SIZE = 8.0
"""Points; both are readable at the width of a column."""

_POINTS_AN_INCH = 72
_NODE_HEIGHT = 0.3
_LABEL_HEIGHT = 0.2
_MARGIN = 0.09
_VERTICAL_GAP = 0.14

# Between columns: room for arrowheads, and more where an edge climbs far, so that none is steep.
_SMALLEST_COLUMN_GAP = 0.3
_COLUMN_GAP_FOR_CLIMB = 0.42
_ARROWHEAD = 0.07

# What a bend weighs against what an edge climbs at its ends (as in Gansner et al., A Technique for Drawing Directed
# Graphs, IEEE Transactions on Software Engineering 19(3), 1993, section 4.2).
_STRAIGHTNESS = 8.0
_REWEIGHTINGS = 8

# Inches that count as straight.
_STRAIGHT = 0.005

# Draws everything to the middle where edges leave it free; too weak to bend one.
_PULL_TO_MIDDLE = 0.02


@dataclass(frozen=True)
class Box:
    """A rectangle around something: its centre and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """The left end."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The right end."""
        return self.x + self.width / 2

    def moved(self, right: float, up: float) -> Box:
        """Return the same box elsewhere."""
        return replace(self, x=self.x + right, y=self.y + up)


@dataclass(frozen=True)
class CellLayout:
    """A picture's geometry; its lower left corner is at (0, 0).

    Attributes:
        width: Of the picture.
        height: Of the picture.
        nodes: Box of each node, in the order of the graph.
        labels: Box of each edge's label, in the order of the graph; None where there is none.
        routes: For each edge the points that it runs through, level from each second point to the next: from the
            right end of its source to the left end of its target.
    """

    width: float
    height: float
    nodes: Sequence[Box]
    labels: Sequence[Box | None]
    routes: Sequence[Sequence[tuple[float, float]]]


@lru_cache(maxsize=1000)  # few operations label many cells
def text_width(text: str, points: float) -> float:
    """Return the width of a line of text in inches."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=points).get_extents().width) / _POINTS_AN_INCH if text.strip() else 0.0


def lay_out(graph: CellGraph) -> CellLayout:
    """Place the nodes, edges and labels of a cell."""
    layers = arrange(graph)
    sizes = [_size(item) for item in layers.items]
    heights = _heights(layers, [height for _, height in sizes])
    columns = _columns(layers, [width for width, _ in sizes], heights)
    boxes = [
        Box(columns[item.layer].x, y, *size) for item, size, y in zip(layers.items, sizes, heights, strict=True)
    ]  # fmt: skip
    arrivals = _arrivals(layers, boxes)
    return CellLayout(
        width=columns[-1].right,
        height=max(box.y + box.height / 2 for box in boxes),
        nodes=boxes[: len(graph.nodes)],
        labels=[_label_box(layers.items, route, boxes) for route in layers.routes],
        routes=[
            _points(layers.items, route, boxes, columns, arrival)
            for route, arrival in zip(layers.routes, arrivals, strict=True)
        ],
    )


def _size(item: Item) -> tuple[float, float]:
    if item.shown is None:
        return 0.0, 0.0
    if isinstance(item.shown, CellEdge):
        return text_width(item.shown.label, LABEL_FONT_SIZE) + 2 * _MARGIN, _LABEL_HEIGHT
    width = text_width(item.shown.label, FONT_SIZE)
    if item.shown.kind is NodeKind.SUM:
        # A circle, if its label is short.
        return max(_NODE_HEIGHT, width + _MARGIN), _NODE_HEIGHT
    return max(_NODE_HEIGHT, width + 2 * _MARGIN), _NODE_HEIGHT


def _heights(layers: Layers, heights: Sequence[float]) -> list[float]:
    """Return the y of every item.

    Edges that end at a node climb by least squares, which puts nodes between their neighbours. Between the bends of an
    edge the sum of what it climbs counts, found by reweighting the squares, which leaves long edges straight.
    """
    import numpy as np

    sums, smallest = _unknowns(layers, heights)
    segments = [pair for route in layers.routes for pair in itertools.pairwise(route)]
    climbs = np.array([sums[source] - sums[target] for source, target in segments])
    inner = np.array([not {source, target} & set(_node_positions(layers)) for source, target in segments])
    weights = np.where(inner, _STRAIGHTNESS, 1.0)
    for _ in range(_REWEIGHTINGS):
        matrix = np.concatenate([climbs * np.sqrt(weights)[:, None], _PULL_TO_MIDDLE * sums])
        unknowns = _smallest_squares(matrix, smallest)
        weights = np.where(inner, _STRAIGHTNESS / np.maximum(np.abs(climbs @ unknowns), _STRAIGHT), 1.0)
    middles = sums @ unknowns
    lowest = min(y - height / 2 for y, height in zip(middles, heights, strict=True))
    # Rounded, so that what is level is exactly so.
    return [round(float(y - lowest), 3) for y in middles]


def _smallest_squares(matrix: npt.NDArray[np.float64], smallest: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the unknowns, none below its smallest value, whose products with the matrix have the smallest squares.

    What may have any value is the difference of two unknowns that are not negative.
    """
    import numpy as np
    from scipy.optimize import nnls

    free = np.isneginf(smallest)
    lowest = np.where(free, 0.0, smallest)
    above, _ = nnls(np.concatenate([matrix, -matrix[:, free]], axis=1), -matrix @ lowest)
    unknowns: npt.NDArray[np.float64] = lowest + above[: len(smallest)]
    unknowns[free] -= above[len(smallest) :]
    return unknowns


def _node_positions(layers: Layers) -> list[int]:
    return [number for number, item in enumerate(layers.items) if isinstance(item.shown, CellNode)]


def _unknowns(layers: Layers, heights: Sequence[float]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the matrix that makes the y of items of the lowest y of each layer and the gaps above it, and the gaps."""
    import numpy as np

    count, column = len(layers.items), 0
    sums, smallest = np.zeros((count, count)), np.full(count, -np.inf)
    for order in layers.orders:
        for place, item in enumerate(order):
            sums[item, column : column + place + 1] = 1
            if place:
                together = heights[order[place - 1]] + heights[item]
                smallest[column + place] = together / 2 + _VERTICAL_GAP
        column += len(order)
    return sums, smallest


def _columns(layers: Layers, widths: Sequence[float], heights: Sequence[float]) -> list[Box]:
    """Return a box for each layer, as wide as its widest item."""
    climb = [0.0] * len(layers.orders)
    for source, target in (pair for route in layers.routes for pair in itertools.pairwise(route)):
        layer = layers.items[target].layer
        climb[layer] = max(climb[layer], abs(heights[source] - heights[target]))
    columns: list[Box] = []
    for layer, order in enumerate(layers.orders):
        width = max((widths[item] for item in order), default=0.0)
        gap = max(_SMALLEST_COLUMN_GAP, _COLUMN_GAP_FOR_CLIMB * climb[layer])
        left = columns[-1].right + gap if columns else 0.0
        columns.append(Box(left + width / 2, 0.0, width, 0.0))
    return columns


def _label_box(items: Sequence[Item], route: Sequence[int], boxes: Sequence[Box]) -> Box | None:
    return next((boxes[number] for number in route if isinstance(items[number].shown, CellEdge)), None)


def _arrivals(layers: Layers, boxes: Sequence[Box]) -> list[float]:
    """Return for each edge how far above the middle of its target it ends: side by side, in the order they come."""
    arrivals = [0.0] * len(layers.routes)
    for target, box in enumerate(boxes):
        into = [number for number, route in enumerate(layers.routes) if route[-1] == target]
        into.sort(key=lambda number: boxes[layers.routes[number][-2]].y)
        spacing = min(0.1, 0.6 * box.height / max(1, len(into) - 1))
        for place, number in enumerate(into):
            arrivals[number] = spacing * (place - (len(into) - 1) / 2)
    return arrivals


def _points(
    items: Sequence[Item], route: Sequence[int], boxes: Sequence[Box], columns: Sequence[Box], arrival: float
) -> list[tuple[float, float]]:
    source, target = boxes[route[0]], boxes[route[-1]]
    # From a narrow node level to the edge of its column, so that nothing wide beside it is touched.
    points = [(source.right, source.y), (columns[items[route[0]].layer].right, source.y)]
    for number in route[1:-1]:
        column = columns[items[number].layer]
        if not column.width:  # There is nothing to keep clear of.
            continue
        points += [(column.left, boxes[number].y), (column.right, boxes[number].y)]
    left = columns[items[route[-1]].layer].left - _ARROWHEAD
    return [*points, (left, target.y + arrival), (target.left, target.y + arrival)]
