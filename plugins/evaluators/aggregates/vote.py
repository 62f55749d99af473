"""``vote``: the majority of synflow, jacob_cov and snip.

Source: Abdelfattah, Mehrotra, Dudziak, Lane, "Zero-Cost Proxies for Lightweight NAS", ICLR 2021: the three vote on
which of two architectures is the better one.
Formula: number of the other architectures of the cohort that an architecture beats, where it beats another if at least
two of the three scores are strictly higher (Copeland's rule without half points).
Direction: higher is better.

The figure that the paper prints as "vote", and that others print among Spearman correlations, is another one: the share
of pairs of architectures with different accuracy on which at least two of the three order them as the accuracy does. A
pair that ties leave without a majority counts one half: the released code goes through both orders of each pair, and is
wrong in one of them. It is a share of pairs, whose scale starts at a half, and is shown apart from the correlations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ....core.interfaces import Aggregate

Floats = NDArray[np.float64]

MAJORITY = 2

PAIR_AGREEMENT = "share of pairs that two of three order as the metric does"

CHUNK_PAIRS = 2**22
"""Pairs that are compared at once: some ten megabytes of flags for each component. Ours."""


class Vote(Aggregate):
    """Lets each pair of architectures be decided by the majority of three scores."""

    def combine(self, ranks: Floats) -> Floats:
        """Return for each architecture how many others it beats."""
        beaten = [_majority(ranks, rows).sum(axis=1) for rows in _chunks(ranks.shape[1])]
        return np.concatenate(beaten).astype(np.float64)

    def combine_resamples(self, ranks: Floats, counts: NDArray[np.float32]) -> Floats:
        """Return how many each beats in each resample: who beats whom is the same in all of them."""
        # Single precision is exact: the numbers are whole, and far below 2**24.
        beaten = [_majority(ranks, rows).astype(np.float32) @ counts for rows in _chunks(ranks.shape[1])]
        return np.concatenate(beaten).astype(np.float64)

    def figures(self, ranks: Floats, truth: Floats) -> Mapping[str, float]:
        """Return the share of pairs with different truth on which the majority is right; nothing if there are none.

        A pair without a majority counts one half.
        """
        right = pairs = 0.0
        for rows in _chunks(len(truth)):
            truly_better = truth[rows, None] > truth[None, :]
            wins, losses = _majority(ranks, rows), _majority(-ranks, rows)
            right += float((wins & truly_better).sum()) + 0.5 * float((~wins & ~losses & truly_better).sum())
            pairs += float(truly_better.sum())
        return {PAIR_AGREEMENT: right / pairs} if pairs else {}


def _majority(ranks: Floats, rows: slice) -> NDArray[np.bool_]:
    """Return whether an architecture of ``rows`` beats each of all, shape (rows, all)."""
    votes = np.zeros((ranks[0, rows].size, ranks.shape[1]), np.int8)
    for component in ranks:
        votes += component[rows, None] > component[None, :]
    majority: NDArray[np.bool_] = votes >= MAJORITY
    return majority


def _chunks(count: int) -> Iterator[slice]:
    step = max(1, CHUNK_PAIRS // max(1, count))
    return (slice(start, start + step) for start in range(0, count, step))
