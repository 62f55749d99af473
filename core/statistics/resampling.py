"""Bootstrap resamples of architectures, and Spearman's rho of many of them at once.

A resample is given by how often it holds each of the n items. Its ranks, with the average ranks of all that it holds
several times, are sums of counts in sorted order: n steps for each resample, and everything up to the final division is
whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .ranks import SINGLE_IS_EXACT, RankedSide

RESAMPLES = 1_000
"""Bootstrap resamples; each end of a 95 % interval then has 25 of them beyond it."""

BOOTSTRAP_SEED = 0
"""Fixed, so that a results file always gives the same intervals."""

CHUNK_ELEMENTS = 1 << 18
"""Elements of an array of counts, 2 MiB: of 16 to 128 resamples of 6,466 items, 32 took least time."""


@dataclass(frozen=True)
class Resampling:
    """How resamples are drawn: equal numbers of items give equal draws, so that what is compared is paired.

    Attributes:
        resamples: Number of resamples.
        seed: Seed of the draws.
    """

    resamples: int = RESAMPLES
    seed: int = BOOTSTRAP_SEED

    def draws(self, n: int) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
        """Yield the items of all resamples, n of n with replacement, in chunks of shape `(resamples in chunk, n)`."""
        generator = np.random.default_rng(self.seed)
        rows = max(1, CHUNK_ELEMENTS // max(1, n))
        for start in range(0, self.resamples, rows):
            yield generator.integers(n, size=(min(rows, self.resamples - start), n))

    def counts(self, n: int) -> Iterator[Floats]:
        """Yield how often each item occurs in each resample, in chunks of shape `(n, resamples in chunk)`."""
        for drawn in self.draws(n):
            rows = len(drawn)
            drawn += n * np.arange(rows)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
            yield np.ascontiguousarray(counts.T, dtype=np.float64)


def resampled_rho(sides: Sequence[Floats], truth: Floats, resampling: Resampling) -> Floats:
    """Return Spearman's rho of several sides with one truth in each resample, NaN where a side is constant.

    Args:
        sides: Each of shape `(n,)`, no NaN.
        truth: Shape `(n,)`, no NaN.
        resampling: Draws the resamples, the same ones for all sides.

    Returns:
        Shape `(sides, resamples)`.
    """
    ranked, ranked_truth = [RankedSide.of(side) for side in sides], RankedSide.of(truth)
    chunks = [_rho_of_counts(ranked, ranked_truth, counts) for counts in resampling.counts(truth.size)]
    return np.concatenate(chunks, axis=1)


def _rho_of_counts(sides: Sequence[RankedSide], truth: RankedSide, counts: Floats) -> Floats:
    narrow: NDArray[np.floating] = counts.astype(np.float32) if len(counts) < SINGLE_IS_EXACT else counts
    truth_ranks = truth.centred_ranks(narrow)
    weighted_truth = counts * truth_ranks
    truth_variance = _sums_of_products(weighted_truth, truth_ranks)
    rho = np.empty((len(sides), counts.shape[1]))
    for row, side in enumerate(sides):
        ranks = side.centred_ranks(narrow)
        covariance = _sums_of_products(weighted_truth, ranks)
        ranks *= ranks
        rho[row] = _normalised(covariance, _sums_of_products(counts, ranks), truth_variance)
    return rho


def _sums_of_products(first: Floats, second: Floats) -> Floats:
    """Multiply and add up over items: two arrays of shape `(n, resamples)` give `(resamples,)`."""
    sums: Floats = np.einsum("nr,nr->r", first, second)
    return sums


def _normalised(covariance: Floats, first: Floats, second: Floats) -> Floats:
    """Return `covariance / sqrt(first * second)`, NaN where a factor is zero."""
    defined = (first > 0) & (second > 0)
    # One root of the product, not a product of roots, gives exactly 1 for equal rankings.
    scale = np.sqrt(np.where(defined, first * second, 1.0))
    return np.where(defined, np.clip(covariance / scale, -1.0, 1.0), np.nan)
