"""Spearman's rho and Kendall's tau-b of many resamples at once.

A resample is given by how often it holds each of n items, so all resamples share one ranking of the items.
Everything up to the final division is whole numbers, so that no result depends on the order of summation.

References:
    [Kendall1945]_ M. G. Kendall. The treatment of ties in ranking problems. Biometrika 33(3), 1945.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

CHUNK_ELEMENTS = 1 << 22
"""Elements of the largest temporary array, 32 MiB in double precision; a quarter of it made tau 4x slower."""


def dense_ranks(values: Floats) -> Ints:
    """Return for each item how many distinct values lie below its own, shape `(n,)`."""
    return np.unique(values, return_inverse=True)[1]


def rho_of_resamples(counts: Floats, score_ranks: Ints, truth_ranks: Ints) -> Floats:
    """Return each resample's Spearman's rho, the correlation of average ranks; NaN where a side is constant.

    Args:
        counts: How often each item occurs, shape `(resamples, n)`.
        score_ranks: Dense ranks, shape `(n,)`.
        truth_ranks: Dense ranks, shape `(n,)`.

    Returns:
        Shape `(resamples,)`.
    """
    scores, truth = _centred_ranks(counts, score_ranks), _centred_ranks(counts, truth_ranks)
    weighted_scores, weighted_truth = counts * scores, counts * truth
    covariance = np.einsum("bi,bi->b", weighted_scores, truth)
    score_variance = np.einsum("bi,bi->b", weighted_scores, scores)
    truth_variance = np.einsum("bi,bi->b", weighted_truth, truth)
    return _normalised(covariance, score_variance, truth_variance)


def tau_of_resamples(counts: Floats, score_ranks: Ints, truth_ranks: Ints) -> Floats:
    """Return Kendall's tau-b of each resample [Kendall1945]_, NaN where a side is constant.

    With w the counts and S the matrix of +1 for concordant, -1 for discordant and 0 for tied pairs, w' S w is
    2 (C - D). The square of n less the squared sizes of a side's groups of ties is twice its number of untied
    pairs. Time grows with the square of n.

    Args:
        counts: How often each item occurs, shape `(resamples, n)`.
        score_ranks: Dense ranks, shape `(n,)`.
        truth_ranks: Dense ranks, shape `(n,)`.

    Returns:
        Shape `(resamples,)`.
    """
    n = score_ranks.size
    # Single precision is exact here: entries of w' S are whole numbers of at most 2 n, far below 2**24.
    weights = counts.astype(np.float32)
    concordance = np.zeros(len(counts))
    rows = max(1, CHUNK_ELEMENTS // n)
    for start in range(0, n, rows):
        signs = _pair_signs(score_ranks, start, rows) * _pair_signs(truth_ranks, start, rows)
        # S is symmetric: a pair whose second item lies after the block stands for both its orders.
        signs[:, rows:] *= 2
        products = weights[:, start:] @ signs.T.astype(np.float32)
        concordance += np.einsum("bi,bi->b", counts[:, start : start + rows], products)
    return _normalised(concordance, _untied_pairs(counts, score_ranks), _untied_pairs(counts, truth_ranks))


def _group_sizes(counts: Floats, ranks: Ints) -> Floats:
    """Sum the counts of equal ranks: `(resamples, n)` to `(resamples, distinct values)`."""
    order = np.argsort(ranks, kind="stable")
    starts = np.searchsorted(ranks[order], np.arange(ranks.max() + 1))
    return np.add.reduceat(counts[:, order], starts, axis=1)


def _centred_ranks(counts: Floats, ranks: Ints) -> Floats:
    """Return twice the average rank less n + 1, which has mean zero in a resample: shape `(resamples, n)`.

    The average rank of a value is (items below) + (items equal + 1) / 2; doubled and centred it is whole.
    """
    equal = _group_sizes(counts, ranks)
    below = np.cumsum(equal, axis=1) - equal
    centred: Floats = (2 * below + equal - ranks.size)[:, ranks]
    return centred


def _pair_signs(ranks: Ints, start: int, rows: int) -> NDArray[np.int8]:
    """Compare a block of items with all from its first on: signs of shape `(rows or fewer, n - start)`."""
    block, others = ranks[start : start + rows, None], ranks[None, start:]
    return (block > others).astype(np.int8) - (block < others).astype(np.int8)


def _untied_pairs(counts: Floats, ranks: Ints) -> Floats:
    """Return twice the number of pairs that differ on one side, shape `(resamples,)`."""
    untied: Floats = ranks.size**2 - np.square(_group_sizes(counts, ranks)).sum(axis=1)
    return untied


def _normalised(numerator: Floats, first: Floats, second: Floats) -> Floats:
    """Return `numerator / sqrt(first * second)`, NaN where a factor is zero."""
    defined = (first > 0) & (second > 0)
    # One root of the product, not a product of roots, gives exactly 1 for equal rankings.
    scale = np.sqrt(np.where(defined, first * second, 1.0))
    return np.where(defined, np.clip(numerator / scale, -1.0, 1.0), np.nan)
