"""The Pareto front: what nothing else is better than in every respect.

A point dominates another one if it is at least as good in every objective and better in one. Equal points do not
dominate each other, so all of them are on the front.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto_front(points: Sequence[Sequence[float]]) -> list[int]:
    """Return the positions of the points that no other one dominates, in their order.

    Args:
        points: All with the same number of finite objectives; higher is better.
    """
    # A point comes after all that dominate it: those are greater in the order of their objectives.
    order = sorted(range(len(points)), key=lambda position: tuple(points[position]), reverse=True)
    scan = _scan_two if points and len(points[0]) == 2 else _scan
    return sorted(scan(points, order))


def _scan_two(points: Sequence[Sequence[float]], order: Sequence[int]) -> list[int]:
    """Compare each point with the one before it on the front: no other is as good in the second objective."""
    front: list[int] = []
    best = (math.nan, -math.inf)
    for position in order:
        first, second = points[position]
        if second > best[1] or (first, second) == best:
            front.append(position)
            best = (first, second)
    return front


def _scan(points: Sequence[Sequence[float]], order: Sequence[int]) -> list[int]:
    front: list[int] = []
    for position in order:
        if not any(_dominates(points[other], points[position]) for other in front):
            front.append(position)
    return front


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return tuple(one) != tuple(other) and all(mine >= theirs for mine, theirs in zip(one, other, strict=True))
