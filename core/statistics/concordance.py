"""Concordant and discordant pairs, counted for each item in n log n steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .ranks import dense_ranks


@dataclass(frozen=True)
class Concordance:
    """How each item is ordered against all others, by two sides.

    Attributes:
        balance: Concordant less discordant pairs of each item, shape `(n,)`.
        untied_scores: Items that differ from it by score, shape `(n,)`.
        untied_truth: Items that differ from it by truth, shape `(n,)`.
    """

    balance: Ints
    untied_scores: Ints
    untied_truth: Ints

    @classmethod
    def of(cls, scores: Floats, truth: Floats) -> Concordance:
        """Count the pairs of every item; arguments of shape `(n,)`, no NaN."""
        first, second = dense_ranks(scores), dense_ranks(truth)
        concordant = _both_lower(first, second) + _both_lower(-first, -second)
        discordant = _both_lower(first, -second) + _both_lower(-first, second)
        return cls(concordant - discordant, *(first.size - np.bincount(side)[side] for side in (first, second)))

    @property
    def tau(self) -> float | None:
        """Kendall's tau-b, None if a side is constant."""
        # Python's whole numbers: the product of two sums of n squared would not fit into 64 bits.
        untied = int(self.untied_scores.sum()) * int(self.untied_truth.sum())
        return None if untied == 0 else max(-1.0, min(1.0, int(self.balance.sum()) / math.sqrt(untied)))


def _both_lower(first: Ints, second: Ints) -> Ints:
    """Count for each item those that are lower on both sides, shape `(n,)`."""
    # Of items that tie on the first side, the higher on the second come first: none counts another.
    order = np.lexsort((-second, first))
    counts = np.empty_like(first)
    counts[order] = _lower_before(second[order])
    return counts


def _lower_before(values: Ints) -> Ints:
    """Count for each position the earlier ones with a lower value, shape `(n,)`.

    Positions are first sorted by value, then within ever smaller blocks: a block's positions in its second half are
    each told how many of its first half come before them, which are earlier positions of lower value.
    """
    n = values.size
    counts, index = np.zeros(n, np.intp), np.arange(n)
    # Equal values from the last position to the first, so that none comes before an equal one of a later position.
    positions = np.lexsort((-index, values))
    for bit in reversed(range(max(0, n - 1).bit_length())):
        late = (positions >> bit) & 1
        start = positions >> (bit + 1) << (bit + 1)
        early_before = np.cumsum(1 - late) - (1 - late) - start // 2
        counts[positions] += late * early_before
        early_in_block = np.minimum(1 << bit, n - start)
        place = np.where(late, early_in_block + index - start - early_before, early_before)
        halved = np.empty_like(positions)
        halved[start + place] = positions
        positions = halved
    return counts
