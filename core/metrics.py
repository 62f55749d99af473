"""Statistics that compare scores with trained performance: arrays in, numbers out.

Both sides must be turned so that higher is better before they come here.

References:
    [Efron1993]_ B. Efron, R. J. Tibshirani. An Introduction to the Bootstrap. Chapman & Hall, 1993, ch. 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .rank_correlation import CHUNK_ELEMENTS, Floats, Ints, dense_ranks, rho_of_resamples, tau_of_resamples

RESAMPLES = 1_000
"""Bootstrap resamples; each end of a 95 % interval then has 25 of them beyond it."""

LEVEL = 0.95
"""Share of the resamples inside an interval."""

BOOTSTRAP_SEED = 0
"""Fixed, so that a results file always gives the same intervals."""


class FailurePolicy(StrEnum):
    """What becomes of an architecture whose job failed: it shares the worst rank, or is left out."""

    WORST = "worst"
    OMIT = "omit"


class Coefficient(StrEnum):
    """A rank correlation."""

    SPEARMAN_RHO = "spearman_rho"
    KENDALL_TAU = "kendall_tau"


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
    return _of_sample(Coefficient.SPEARMAN_RHO, scores, truth)


def kendall_tau(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Kendall's tau-b, `(C - D) / sqrt((C + D + T_s) (C + D + T_y))`.

    C and D count concordant and discordant pairs, T_s and T_y pairs that are tied on that side only.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.

    Returns:
        A number from -1 to 1, or None if either side is constant or n < 2.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    return _of_sample(Coefficient.KENDALL_TAU, scores, truth)


def bootstrap_interval(
    coefficient: Coefficient,
    scores: ArrayLike,
    truth: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = BOOTSTRAP_SEED,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of a rank correlation over architectures [Efron1993]_.

    A resample draws n pairs with replacement; equal n, seed and number of resamples give equal draws.
    Resamples in which a side is constant have no correlation and are dropped. Time for tau grows with the
    square of n.

    Args:
        coefficient: Which correlation.
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.
        resamples: Number of resamples.
        level: Share of the resamples inside the interval, above 0 and below 1.
        seed: Seed of the draws.

    Returns:
        Lower and upper end, or None if n < 2 or less than `level` of the resamples are defined, since those
        dropped could then outweigh the tails that the interval cuts off.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    score_ranks, truth_ranks = (dense_ranks(side) for side in _checked_pair(scores, truth))
    if score_ranks.size < 2:
        return None
    of_resamples = _OF_RESAMPLES[coefficient]
    chunks = _resample_counts(score_ranks.size, resamples, seed)
    values = np.concatenate([of_resamples(counts, score_ranks, truth_ranks) for counts in chunks])
    defined = values[~np.isnan(values)]
    if defined.size < level * resamples:
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def retrieving_rate(
    scores: ArrayLike, truth: ArrayLike, *, top_fraction: float | None = None, top_k: int | None = None
) -> Retrieval | None:
    """Share of the true top K that the score's top K contains; a random score is expected to reach K / n.

    Ties at a boundary are broken at random, in expectation: each item tied there is in the set with
    probability (places left) / (items tied), independently on the two sides.

    Args:
        scores: Shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.
        top_fraction: K = top_fraction * n, rounded half to even and at least 1; above 0, at most 1.
        top_k: K itself, 1 to n. Give one of the two.

    Returns:
        The rate with its K, or None if n is 0.

    Raises:
        ValueError: If the sides do not fit each other, or K is given twice, not at all or out of range.
    """
    oriented_scores, oriented_truth = _checked_pair(scores, truth)
    if oriented_scores.size == 0:
        return None
    k = _top_size(oriented_scores.size, top_fraction, top_k)
    in_score_top, in_true_top = _top_probability(oriented_scores, k), _top_probability(oriented_truth, k)
    tied = any(bool(np.any((side > 0) & (side < 1))) for side in (in_score_top, in_true_top))
    return Retrieval(rate=float(in_score_top @ in_true_top) / k, k=k, tied=tied)


def apply_failure_policy(
    oriented_scores: ArrayLike, ok_mask: ArrayLike, policy: str
) -> tuple[Floats, NDArray[np.bool_]]:
    """Give failed architectures the worst rank, or leave them out.

    Args:
        oriented_scores: Shape `(n,)`, higher is better; values where `ok_mask` is false are ignored.
        ok_mask: Shape `(n,)`, true where there is a score.
        policy: A `FailurePolicy`. "worst" gives all failures one value below every score, minus infinity, so
            that they share the average of the bottom ranks; "omit" drops them.

    Returns:
        Scores of the architectures that stay, and a mask of shape `(n,)` that selects them.

    Raises:
        ValueError: There is no such policy.
    """
    scores, ok = np.asarray(oriented_scores, dtype=np.float64), np.asarray(ok_mask, dtype=np.bool_)
    if FailurePolicy(policy) is FailurePolicy.OMIT:
        return scores[ok], ok
    return np.where(ok, scores, -np.inf), np.ones_like(ok)


def count_ties(values: ArrayLike) -> int:
    """Count the items that share their value with at least one other item."""
    _, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    return int(counts[counts > 1].sum())


def _checked_pair(scores: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"Expected two sides of shape (n,), got {first.shape} and {second.shape}.")
    if np.isnan(first).any() or np.isnan(second).any():
        raise ValueError("Expected no NaN; apply the failure policy and drop unknown ground truth first.")
    return first, second


_OF_RESAMPLES: dict[Coefficient, Callable[[Floats, Ints, Ints], Floats]] = {
    Coefficient.SPEARMAN_RHO: rho_of_resamples,
    Coefficient.KENDALL_TAU: tau_of_resamples,
}


def _of_sample(coefficient: Coefficient, scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Evaluate a coefficient on the sample itself, in which every item occurs once."""
    score_ranks, truth_ranks = (dense_ranks(side) for side in _checked_pair(scores, truth))
    if score_ranks.size < 2:
        return None
    value = float(_OF_RESAMPLES[coefficient](np.ones((1, score_ranks.size)), score_ranks, truth_ranks)[0])
    return None if np.isnan(value) else value


def _resample_counts(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each item occurs in each resample, in chunks of shape `(resamples in chunk, n)`."""
    generator = np.random.default_rng(seed)
    rows = max(1, CHUNK_ELEMENTS // n)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _top_size(n: int, top_fraction: float | None, top_k: int | None) -> int:
    if (top_fraction is None) == (top_k is None):
        raise ValueError("Expected one of top_fraction and top_k, got both or none.")
    if top_k is not None:
        if not 1 <= top_k <= n:
            raise ValueError(f"Expected top_k from 1 to the number of architectures, {n}; got {top_k}.")
        return top_k
    if top_fraction is None or not 0 < top_fraction <= 1:
        raise ValueError(f"Expected top_fraction above 0 and at most 1, got {top_fraction}.")
    return max(1, round(top_fraction * n))


def _top_probability(values: Floats, k: int) -> Floats:
    """Return each item's probability to be among the k highest, shape `(n,)`."""
    boundary = np.sort(values)[-k]
    above, at_boundary = values > boundary, values == boundary
    probability: Floats = above + at_boundary * ((k - above.sum()) / at_boundary.sum())
    return probability
