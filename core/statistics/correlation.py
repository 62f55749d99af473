"""Correlations between scores and trained performance.

References:
    [Kendall1945]_ M. G. Kendall. The treatment of ties in ranking problems. Biometrika 33(3), 1945.
    [Vigna2015]_ S. Vigna. A weighted correlation index for rankings with ties. WWW 2015.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, checked_pair, is_constant
from .concordance import Concordance
from .ranks import centred_ranks


def spearman_rho(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Spearman's rho: Pearson correlation of the ranks, tied items sharing their average rank.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.

    Returns:
        A number from -1 to 1, or None if either side is constant or n < 2.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    first, second = (centred_ranks(side) for side in checked_pair(scores, truth))
    return _normalised(first, second)


def kendall_tau(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Kendall's tau-b [Kendall1945]_, `(C - D) / sqrt((C + D + T_s) (C + D + T_y))`.

    C and D count concordant and discordant pairs, T_s and T_y pairs that are tied on that side only. Time grows with
    n log n.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.

    Returns:
        A number from -1 to 1, or None if either side is constant or n < 2.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    return Concordance.of(*checked_pair(scores, truth)).tau


def pearson_r(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Pearson's correlation of the values themselves.

    Args:
        scores: Shape `(n,)`, no NaN; where a value is infinite, there is no correlation.
        truth: Shape `(n,)`, likewise.

    Returns:
        A number from -1 to 1, or None if either side is constant or not finite, or n < 2.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    sides = checked_pair(scores, truth)
    if any(is_constant(side) or not np.isfinite(side).all() for side in sides):
        return None
    # Divided by the largest first: squares of scores such as those of synflow would overflow.
    first, second = (_centred(side / np.abs(side).max()) for side in sides)
    return _normalised(first, second)


def weighted_tau(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Vigna's weighted tau [Vigna2015]_, in which exchanges among the best weigh more.

    The exchange of two items of rank r and s weighs 1 / (r + 1) + 1 / (s + 1), ranks from 0; the mean of ranking by
    scores and by truth, as in SciPy's `weightedtau`.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.

    Returns:
        A number from -1 to 1, or None if either side is constant or n < 2.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    sides = checked_pair(scores, truth)
    if any(map(is_constant, sides)):
        return None
    from scipy.stats import weightedtau  # takes half a second to import

    # Its ranks, since it takes infinite values for equal to the largest ones.
    return float(weightedtau(*map(centred_ranks, sides)).statistic)


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean()
    return centred


def _normalised(first: Floats, second: Floats) -> float | None:
    """Return the cosine of two centred sides; one root of the product gives exactly 1 for equal rankings."""
    scale = float(first @ first) * float(second @ second)
    return max(-1.0, min(1.0, float(first @ second) / math.sqrt(scale))) if scale > 0 else None
