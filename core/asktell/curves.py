"""What searches had found after each evaluation, and the mean over searches that differ in their seed only."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A figure over several searches.

    Attributes:
        mean: Mean of the searches that have it.
        deviation: Sample standard deviation, None for fewer than two.
        count: How many have it.
    """

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True)
class SearchCurve:
    """A figure of one search after each of its evaluations.

    Attributes:
        values: None where it is not known.
        exhausted: Whether the search ended since its strategy had no more proposals; otherwise it was stopped, and
            could go on.
    """

    values: Sequence[float | None]
    exhausted: bool


def incumbents(fitness: Iterable[float | None]) -> list[int | None]:
    """Return after each evaluation the position of the incumbent, the best one so far.

    Args:
        fitness: Of each evaluation, higher is better; None if it has none, and so cannot be the best.

    Returns:
        Of equals the earliest; None before the first fitness.
    """
    best: int | None = None
    best_fitness = -math.inf
    positions = []
    for position, value in enumerate(fitness):
        if value is not None and value > best_fitness:
            best, best_fitness = position, value
        positions.append(best)
    return positions


def spread(figures: Iterable[float | None]) -> Spread | None:
    """Return mean and sample standard deviation of those that are known, None if none is."""
    known = [figure for figure in figures if figure is not None and not math.isnan(figure)]
    if not known:
        return None
    return Spread(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None, len(known))


def mean_curve(curves: Sequence[SearchCurve]) -> list[Spread | None]:
    """Return the mean over searches after each evaluation.

    A search that is exhausted has found all that it ever will: its last value holds for every later evaluation. What
    another one would have found later is not known. So the mean ends with the shortest of those that are not
    exhausted, or with the longest if all are: beyond, it would be a mean of other seeds than before, which could rise
    although no curve of regret does.
    """
    lengths = [len(curve.values) for curve in curves if not curve.exhausted]
    length = min(lengths) if lengths else max((len(curve.values) for curve in curves), default=0)
    return [spread(_value_at(curve.values, position) for curve in curves) for position in range(length)]


def _value_at(values: Sequence[float | None], position: int) -> float | None:
    return values[min(position, len(values) - 1)] if values else None
