"""Where the labels of points go, so that they hide neither each other nor points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LINE_HEIGHT = 12.0
_CHARACTER_WIDTH = 6.6
_POINT = 5.0


@dataclass(frozen=True)
class Place:
    """A label's place beside its point, in pixels to the right and downwards from it."""

    dx: float
    dy: float
    align: str


PLACES = (
    Place(9, 0, "left"), Place(-9, 0, "right"), Place(0, -13, "center"), Place(0, 13, "center"), Place(9, -12, "left"),
    Place(9, 12, "left"), Place(-9, -12, "right"), Place(-9, 12, "right"), Place(9, -26, "left"), Place(9, 26, "left"),
)  # fmt: skip
"""The better first."""

_Rectangle = tuple[float, float, float, float]


def place_labels(
    points: Sequence[tuple[float, float]], labels: Sequence[str], width: float, height: float
) -> list[int]:
    """Choose a place for each label: the first that overlaps least.

    Args:
        points: Pixels to the right and downwards, in a plot of this width and height.
        labels: Texts of one line each.
        width: Of the plot.
        height: Of the plot.

    Returns:
        Positions in ``PLACES``.
    """
    taken = [(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
    chosen = []
    for number, (point, label) in enumerate(zip(points, labels, strict=True)):
        others = [rectangle for at, rectangle in enumerate(taken) if at != number]
        rectangles = [_rectangle(point, label, place) for place in PLACES]
        costs = [_overlap(own, others) + _outside(own, width, height) for own in rectangles]
        best = costs.index(min(costs))
        chosen.append(best)
        taken.append(rectangles[best])
    return chosen


def _rectangle(point: tuple[float, float], label: str, place: Place) -> _Rectangle:
    length = len(label) * _CHARACTER_WIDTH
    left = point[0] + place.dx - {"left": 0.0, "center": length / 2, "right": length}[place.align]
    top = point[1] + place.dy - LINE_HEIGHT / 2
    return left, top, left + length, top + LINE_HEIGHT


def _overlap(own: _Rectangle, others: Sequence[_Rectangle]) -> float:
    return sum(
        max(0.0, min(own[2], other[2]) - max(own[0], other[0]))
        * max(0.0, min(own[3], other[3]) - max(own[1], other[1]))
        for other in others
    )


def _outside(own: _Rectangle, width: float, height: float) -> float:
    sideways = max(0.0, -own[0]) + max(0.0, own[2] - width)
    return (sideways + max(0.0, -own[1]) + max(0.0, own[3] - height)) * LINE_HEIGHT
