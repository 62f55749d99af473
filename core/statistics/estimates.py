"""Rank correlations with intervals: what a table of evaluators prints.

Spearman's rho has a bootstrap interval over architectures, bias-corrected and accelerated [Efron1987]_, its percentiles
expanded for small samples as Student's t is wider than the normal distribution [Hesterberg2015]_. Kendall's tau-b, for
which resamples would take the square of n each, has one of Fisher's z with the standard error of its influence function
and Student's t. ``experiments/interval_coverage.py`` measures how often they cover, beside the plain percentiles.

References:
    [Efron1987]_ B. Efron. Better bootstrap confidence intervals. Journal of the American Statistical Association
        82(397), 1987.
    [Hesterberg2015]_ T. Hesterberg. What teachers should know about the bootstrap. The American Statistician 69(4),
        2015, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .correlation import kendall_tau, spearman_rho
from .influence import rho_influence, tau_influence
from .resampling import Resampling, resampled_rho

LEVEL = 0.95
"""Share of samples whose interval contains the true value."""

FEWEST_FOR_INTERVAL = 10
"""With fewer architectures there is no interval: none that was tried keeps its level there."""

SHARE_DEFINED = 0.95
"""With fewer resamples than this in which no side is constant there is no interval."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; None where undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def estimate_rho(sides: Sequence[Floats], truth: Floats, resampling: Resampling) -> list[Estimate]:
    """Return Spearman's rho of several evaluators over the same architectures.

    Args:
        sides: Scores of each evaluator, shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.
        resampling: Draws the resamples.
    """
    values = [spearman_rho(side, truth) for side in sides]
    if truth.size < FEWEST_FOR_INTERVAL:
        return [Estimate(value) for value in values]
    resampled = resampled_rho(sides, truth, resampling)
    return [
        Estimate() if value is None else bootstrapped(value, row, truth.size, rho_influence(side, truth))
        for value, row, side in zip(values, resampled, sides, strict=True)
    ]


def estimate_tau(scores: Floats, truth: Floats) -> Estimate:
    """Return Kendall's tau-b; arguments as in :func:`estimate_rho`."""
    value, n = kendall_tau(scores, truth), truth.size
    if value is None or n < FEWEST_FOR_INTERVAL:
        return Estimate(value)
    # The sum over n rather than its mean: divided by n - 1, as a sample variance is.
    error = math.sqrt(np.square(tau_influence(scores, truth)).sum() / (n * (n - 1)))
    return with_interval(value, error, n - 1)


def bootstrapped(value: float, resampled: Floats, n: int, influence: Floats | None = None) -> Estimate:
    """Return a statistic with the interval that its resamples lead to.

    Args:
        value: Of the sample.
        resampled: Of resamples, NaN where undefined; shape `(resamples,)`.
        n: Number of architectures.
        influence: Of each architecture, which gives the acceleration; None where it is not known, for none.
    """
    defined = resampled[~np.isnan(resampled)]
    if defined.size < SHARE_DEFINED * resampled.size:
        return Estimate(value)
    from scipy.special import ndtr, ndtri

    below = float((defined < value).mean() + (defined == value).mean() / 2)
    bias = ndtri(np.clip(below, 1 / (defined.size + 1), defined.size / (defined.size + 1)))
    acceleration = 0.0 if influence is None else _acceleration(influence)
    # The normal quantile of a share that is as far out as Student's t with n - 1 degrees of freedom.
    outer = math.sqrt(n / (n - 1)) * interval_quantile(n - 1)
    ends = [bias + (bias + end) / (1 - acceleration * (bias + end)) for end in (-outer, outer)]
    low, high = np.quantile(defined, ndtr(ends))
    return Estimate(value, float(low), float(high))


def _acceleration(influence: Floats) -> float:
    """Return how fast the standard error changes with the value: a sixth of the influences' skewness over root n."""
    squares = float(np.square(influence).sum())
    return float((influence**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def standard_error(resampled: Floats) -> float | None:
    """Return the standard deviation over resamples, None if more than one in twenty has no correlation (NaN)."""
    defined = resampled[~np.isnan(resampled)]
    return float(defined.std(ddof=1)) if defined.size >= SHARE_DEFINED * resampled.size else None


def with_interval(value: float, error: float, freedom: float) -> Estimate:
    """Return a correlation r with an interval of Fisher's z, the inverse hyperbolic tangent, whose slope is 1 - r^2.

    Args:
        value: From -1 to 1.
        error: Its standard error.
        freedom: Degrees of freedom of the error.
    """
    slope = 1 - value**2
    if error == 0 or slope <= 0:
        return Estimate(value, value, value)
    z, half = math.atanh(value), interval_quantile(freedom) * error / slope
    return Estimate(value, math.tanh(z - half), math.tanh(z + half))


def interval_quantile(freedom: float) -> float:
    """Return how many standard errors an interval of :data:`LEVEL` reaches to either side, by Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))
