"""Ranks, of a sample and of resamples of it, which all share one ranking of the items.

Ranks are kept doubled and centred, so that they are whole numbers with mean zero and no sum of products depends on the
order of summation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints

SINGLE_IS_EXACT = 1 << 23
"""Of fewer items twice every rank is a whole number that single precision holds."""


def dense_ranks(values: Floats) -> Ints:
    """Return for each item how many distinct values lie below its own, shape `(n,)`."""
    return np.unique(values, return_inverse=True)[1].astype(np.intp, copy=False)


def average_ranks(values: Floats) -> Floats:
    """Return ranks from 1 (lowest), shape `(n,)`; equal values share the average of theirs."""
    return (centred_ranks(values) + values.size + 1) / 2


def centred_ranks(values: Floats) -> Floats:
    """Return twice the average rank less n + 1: whole numbers with mean zero, shape `(n,)`."""
    _, groups, sizes = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(sizes) - sizes
    ranks: Floats = (2 * below + sizes - values.size)[groups].astype(np.float64)
    return ranks


@dataclass(frozen=True)
class RankedSide:
    """One side of a comparison, sorted once for all resamples.

    Attributes:
        groups: Dense rank of each item, shape `(n,)`.
        order: Items from the lowest value on, shape `(n,)`.
        ends: Where in `order` each distinct value occurs last.
    """

    groups: Ints
    order: Ints
    ends: Ints

    @classmethod
    def of(cls, values: Floats) -> RankedSide:
        """Sort the values of a side."""
        groups = dense_ranks(values)
        order = np.argsort(groups, kind="stable")
        ends = np.flatnonzero(np.diff(groups[order], append=values.size))
        return cls(groups, order, ends)

    def centred_ranks(self, counts: NDArray[np.floating]) -> Floats:
        """Return the items' centred ranks within resamples, see :func:`centred_ranks`.

        Args:
            counts: How often each item occurs in each resample, shape `(n, resamples)`, with sums of n; in single
                precision it takes half the time, and is exact for fewer than `SINGLE_IS_EXACT` items.

        Returns:
            Shape `(n, resamples)`; 0 in the mean of a resample, each item counted as often as it occurs.
        """
        equal = counts[self.order]
        ranks = np.cumsum(equal, axis=0)
        # How many are lower, and how many lower or equal, less n: for values of one item each without another array.
        if self.ends.size < self.order.size:
            up_to = ranks[self.ends]
            ranks = up_to - self.order.size
            ranks[1:] += up_to[:-1]
        else:
            ranks *= 2
            ranks -= equal
            ranks -= self.order.size
        return ranks[self.groups].astype(np.float64, copy=False)
