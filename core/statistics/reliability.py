"""How well trained performance agrees with itself: the rank correlation between two makings of a table.

References:
    [Spearman1910]_ C. Spearman. Correlation calculated from faulty data. British Journal of Psychology 3, 1910.
    [Brown1910]_ W. Brown. Some experimental results in the correlation of mental abilities. Ibid.
"""

from __future__ import annotations

from statistics import fmean

import numpy as np

from .arrays import Floats, Ints
from .correlation import spearman_rho

MOST_DRAWS = 30
"""Of two runs each. Ours: with more, the estimate's own noise is that of the architectures."""

_PAIRS_DRAWN = 100_000

_SEED_OF_DRAWS = 0


def run_reliability(architectures: Ints, results: Floats) -> float | None:
    """Spearman's rho between two single runs of the same architectures, mean over draws of two runs of each.

    Args:
        architectures: Which architecture each run is of, from 0, shape ``(runs,)``. Those with one run are left out.
        results: What each run gave, shape ``(runs,)``, no NaN.

    Returns:
        A number from -1 to 1, or None if all results of a draw are equal or fewer than two architectures have two runs.
    """
    order = np.argsort(architectures, kind="stable")
    sizes = np.bincount(architectures)
    firsts = (np.cumsum(sizes) - sizes)[sizes > 1]
    rng = np.random.default_rng(_SEED_OF_DRAWS)
    found = []
    for _ in range(max(1, min(MOST_DRAWS, _PAIRS_DRAWN // max(1, len(firsts))))):
        shuffled = _shuffled_within(order, architectures, rng)
        found.append(spearman_rho(results[shuffled[firsts]], results[shuffled[firsts + 1]]))
    return None if any(rho is None for rho in found) else fmean(rho for rho in found if rho is not None)


def _shuffled_within(order: Ints, architectures: Ints, rng: np.random.Generator) -> Ints:
    """Return the runs grouped by architecture as ``order`` has them, in another order within each."""
    shuffled: Ints = order[np.lexsort((rng.random(len(order)), architectures[order]))]
    return shuffled


def stepped_up(reliability: float, num_runs: float) -> float:
    """Return the reliability of the mean over some runs from that of one, by the formula of Spearman and Brown.

    With r the reliability and k the number of runs this is k r / (1 + (k - 1) r) [Spearman1910]_ [Brown1910]_. It
    estimates the correlation of a table of such means with a second one of as many other runs, so it bounds what
    another set of trainings can reach. A score that knew each expected result exactly would reach about its square
    root, the correlation of a noisy mean with what it estimates.

    Args:
        reliability: Above -1 / (k - 1).
        num_runs: At least 1; where architectures have different numbers, the harmonic mean.
    """
    return num_runs * reliability / (1.0 + (num_runs - 1.0) * reliability)
