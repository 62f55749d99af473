"""Whether two evaluators differ: paired bootstrap on the same architectures, and Holm's correction.

The difference of two correlations, over its standard error, is compared with Student's t. The error is the standard
deviation of the difference of their Fisher's z, the inverse hyperbolic tangent, in resamples that both share, times its
slope halfway between the two: resamples of correlations near 1 vary more than samples do, those of z do not. A p that
counts resamples beyond zero would end at 1 / resamples, too coarse to be corrected for many comparisons.

References:
    [Efron1993]_ B. Efron, R. J. Tibshirani. An Introduction to the Bootstrap. Chapman & Hall, 1993, ch. 12 and 16.
    [Holm1979]_ S. Holm. A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics
        6(2), 1979.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .estimates import FEWEST_FOR_INTERVAL, interval_quantile, standard_error

LARGEST = 1 - 1e-6
"""Correlation that stands for 1, whose z is infinite."""


@dataclass(frozen=True)
class Difference:
    """A first correlation less a second one over the same architectures; None where undefined.

    Attributes:
        value: The difference, positive if the first is higher.
        low: Lower end of its interval.
        high: Upper end.
        p: Probability of a difference as large in either direction, if there is none.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


def paired_difference(
    values: tuple[float | None, float | None], resampled: tuple[Floats, Floats], n: int
) -> Difference:
    """Compare two correlations.

    Args:
        values: Both correlations, None where undefined.
        resampled: Both in the same resamples, NaN where undefined; each of shape `(resamples,)`.
        n: Number of architectures.
    """
    first, second = values
    if first is None or second is None:
        return Difference()
    difference, error = first - second, standard_error(fisher_z(resampled[0]) - fisher_z(resampled[1]))
    if n < FEWEST_FOR_INTERVAL or error is None:
        return Difference(difference)
    return judge_difference(difference, error * slope_of_z((first + second) / 2), n - 1)


def fisher_z(correlations: Floats) -> Floats:
    """Return the inverse hyperbolic tangent, finite for 1 and -1 as well."""
    z: Floats = np.arctanh(np.clip(correlations, -LARGEST, LARGEST))
    return z


def slope_of_z(correlation: float) -> float:
    """Return by how much a correlation rises where its z rises by one."""
    return 1 - correlation**2


def judge_difference(difference: float, error: float, freedom: float) -> Difference:
    """Return a difference with interval and p, by its standard error and that one's degrees of freedom."""
    from scipy.special import stdtr

    half = interval_quantile(freedom) * error
    # Without any error a difference is certain, and so is that there is none.
    statistic = abs(difference) / error if error > 0 else math.inf if difference else 0.0
    return Difference(difference, difference - half, difference + half, float(2 * stdtr(freedom, -statistic)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p values for the number of comparisons [Holm1979]_: each is compared with the level as it is.

    The smallest p is multiplied by the number of comparisons, the next by one less, and so on; none becomes smaller
    than that before it, nor larger than 1. What is undefined (None) is no comparison.
    """
    known = sorted((p, position) for position, p in enumerate(p_values) if p is not None and not math.isnan(p))
    corrected: list[float | None] = [None] * len(p_values)
    least = 0.0
    for done, (p, position) in enumerate(known):
        least = max(least, min(1.0, (len(known) - done) * p))
        corrected[position] = least
    return corrected
