"""How good the architectures with the best scores are.

References:
    [Jarvelin2002]_ K. Järvelin, J. Kekäläinen. Cumulated gain-based evaluation of IR techniques. ACM TOIS 20(4), 2002.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, checked_pair, is_constant


@dataclass(frozen=True)
class Retrieval:
    """How many of the truly best architectures are among those with the best scores.

    Attributes:
        rate: Expected share of the true top K among the score's top K, 0 to 1.
        k: Size of both sets.
        tied: Whether a tie at the boundary of either set made the rate an expectation.
    """

    rate: float
    k: int
    tied: bool


@dataclass(frozen=True)
class TopChoice:
    """The best architecture among those with the best scores.

    Attributes:
        value: Its truth; if a tie at the boundary leaves open which ones these are, the expectation over them.
        regret: How much better the best of all is, never negative.
        k: How many have the best scores.
    """

    value: float
    regret: float
    k: int


def retrieving_rate(scores: ArrayLike, truth: ArrayLike, top_fraction: float) -> Retrieval | None:
    """Share of the true top K that the score's top K contains; a random score is expected to reach K / n.

    Ties at a boundary are broken at random, in expectation: each item tied there is in the set with
    probability (places left) / (items tied), independently on the two sides.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.
        top_fraction: K = top_fraction * n, rounded half to even and at least 1; above 0, at most 1.

    Returns:
        The rate with its K, or None if n is 0.

    Raises:
        ValueError: If the sides do not fit each other, or the fraction is out of range.
    """
    oriented_scores, oriented_truth = checked_pair(scores, truth)
    if not 0 < top_fraction <= 1:
        raise ValueError(f"Expected top_fraction above 0 and at most 1, got {top_fraction}.")
    if oriented_scores.size == 0:
        return None
    k = max(1, round(top_fraction * oriented_scores.size))
    in_score_top, in_true_top = _top_probability(oriented_scores, k), _top_probability(oriented_truth, k)
    tied = any(bool(np.any((side > 0) & (side < 1))) for side in (in_score_top, in_true_top))
    return Retrieval(rate=float(in_score_top @ in_true_top) / k, k=k, tied=tied)


def ndcg(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Normalised discounted cumulative gain of the ranking by score [Jarvelin2002]_.

    The gain of an architecture is its truth less the lowest truth, discounted by 1 / log2(rank + 1), ranks from 1; the
    sum is divided by that of the best ranking. Tied scores share the mean of their places' discounts, which is the
    expectation over all orders.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, finite.

    Returns:
        A number from 0 to 1, or None if either side is constant or n < 2.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    oriented_scores, oriented_truth = checked_pair(scores, truth)
    if is_constant(oriented_scores) or is_constant(oriented_truth):
        return None
    gains, discounts = oriented_truth - oriented_truth.min(), 1 / np.log2(np.arange(oriented_truth.size) + 2)
    _, groups, sizes = np.unique(-oriented_scores, return_inverse=True, return_counts=True)
    mean_discounts = np.add.reduceat(discounts, np.cumsum(sizes) - sizes) / sizes
    # Sums in another order may exceed that of the best ranking by rounding.
    return min(1.0, float(gains @ mean_discounts[groups] / (np.sort(gains)[::-1] @ discounts)))


def best_of_top(scores: ArrayLike, truth: ArrayLike, top_k: int) -> TopChoice | None:
    """Return the best truth among the architectures with the K best scores: what training these K would find.

    Ties at the boundary are broken at random, in expectation.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.
        top_k: K; all are taken if there are fewer.

    Returns:
        The choice, or None if n is 0.

    Raises:
        ValueError: If the sides do not fit each other, or K is below 1.
    """
    oriented_scores, oriented_truth = checked_pair(scores, truth)
    if top_k < 1:
        raise ValueError(f"Expected top_k of 1 or more, got {top_k}.")
    if oriented_scores.size == 0:
        return None
    k = min(top_k, oriented_scores.size)
    boundary = np.sort(oriented_scores)[-k]
    sure, tied = oriented_truth[oriented_scores > boundary], oriented_truth[oriented_scores == boundary]
    value = _expected_best(sure, tied, k - sure.size)
    return TopChoice(value, float(oriented_truth.max()) - value, k)


def _expected_best(sure: Floats, tied: Floats, places: int) -> float:
    """Return the expected maximum of `sure` and of `places` drawn from `tied`, 1 or more, without replacement."""
    best_first = np.sort(tied)[::-1]
    if sure.size:
        best_first = np.maximum(best_first, sure.max())
    value, unseen = 0.0, 1.0
    for position, candidate in enumerate(best_first[: tied.size - places + 1]):
        # That none of the better ones was drawn, and this one was: it is the best that is drawn.
        drawn = places / (tied.size - position)
        value += unseen * drawn * float(candidate)
        unseen *= 1 - drawn
    # Probabilities that add up to 1 by rounding only would put it beyond all candidates.
    return float(np.clip(value, best_first[-1], best_first[0]))


def _top_probability(values: Floats, k: int) -> Floats:
    """Return each item's probability to be among the k highest, shape `(n,)`."""
    boundary = np.sort(values)[-k]
    above, at_boundary = values > boundary, values == boundary
    probability: Floats = above + at_boundary * ((k - above.sum()) / at_boundary.sum())
    return probability
