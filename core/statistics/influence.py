"""How much each architecture moves a rank correlation: its influence function, in n log n steps.

The influence of an item is the derivative of the coefficient by that item's weight. Influences have mean zero; their
mean square over n is the large-sample variance of the coefficient [Efron1993]_, without resamples.

References:
    [Efron1993]_ B. Efron, R. J. Tibshirani. An Introduction to the Bootstrap. Chapman & Hall, 1993, ch. 21.
    [Hoeffding1948]_ W. Hoeffding. A class of statistics with asymptotically normal distribution. Annals of Mathematical
        Statistics 19(3), 1948.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Floats
from .concordance import Concordance
from .ranks import centred_ranks, dense_ranks


def tau_influence(scores: Floats, truth: Floats) -> Floats:
    """Return the influences on Kendall's tau-b, shape `(n,)`; neither side is constant."""
    pairs, n = Concordance.of(scores, truth), scores.size
    balance, untied_scores, untied_truth = (
        side / n for side in (pairs.balance, pairs.untied_scores, pairs.untied_truth)
    )
    # The three are means over pairs, which have two items each [Hoeffding1948]_: hence the factor of 2.
    slopes = [2 * (side - side.mean()) for side in (balance, untied_scores, untied_truth)]
    scale = math.sqrt(untied_scores.mean() * untied_truth.mean())
    return _of_ratio(balance.mean() / scale, slopes[0] / scale, slopes[1:], (untied_scores.mean(), untied_truth.mean()))


def rho_influence(scores: Floats, truth: Floats) -> Floats:
    """Return the influences on Spearman's rho, shape `(n,)`; neither side is constant."""
    n = scores.size
    first, second = (centred_ranks(side) / (2 * n) for side in (scores, truth))
    covariance, variances = (first * second).mean(), [(side * side).mean() for side in (first, second)]
    # An item adds its own product, and moves the ranks of those above it.
    slope = first * second + _sum_above(scores, second) + _sum_above(truth, first) - 3 * covariance
    slopes = [
        side * side + 2 * _sum_above(values, side) - 3 * variance
        for values, side, variance in ((scores, first, variances[0]), (truth, second, variances[1]))
    ]
    scale = math.sqrt(variances[0] * variances[1])
    return _of_ratio(covariance / scale, slope / scale, slopes, variances)


def _sum_above(values: Floats, summed: Floats) -> Floats:
    """Sum over the items of higher value, those of equal value counted half, divided by n; shape `(n,)`."""
    groups = dense_ranks(values)
    sums = np.bincount(groups, summed)
    from_here = np.cumsum(sums[::-1])[::-1]
    above: Floats = (from_here - sums / 2)[groups] / values.size
    return above


def _of_ratio(value: float, slope: Floats, slopes: list[Floats], factors: list[float] | tuple[float, float]) -> Floats:
    """Return the influences on `numerator / sqrt(first * second)`, given those on its three parts."""
    influence: Floats = slope - value / 2 * (slopes[0] / factors[0] + slopes[1] / factors[1])
    return influence
