"""``te_nas``, ``az_nas`` and ``rank_sum``: sums over the ranks of the components.

Sources: ``te_nas`` ranks architectures by the sum of their ranks in condition number and linear regions (Chen, Gong,
Wang, ICLR 2021); ``az_nas`` by the sum of log(rank / number of architectures) of four scores (Lee and Ham, CVPR 2024).
Direction: higher is better.

Ties share their average rank, as in the code of AZ-NAS; that of TE-NAS gives them one dense rank, the next value the
next whole number. Deviation from both: an architecture without a component's score shares that component's worst rank,
as everywhere in a report.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....core.interfaces import Aggregate

Floats = NDArray[np.float64]


class RankSum(Aggregate):
    """Adds the ranks."""

    def combine(self, ranks: Floats) -> Floats:
        """Return the sum over the components."""
        total: Floats = ranks.sum(axis=0)
        return total


class LogRankSum(Aggregate):
    """Adds the logarithms of the ranks, so that being bad in one component costs more than being good in another."""

    def combine(self, ranks: Floats) -> Floats:
        """Return the sum over the components of log(rank / number of architectures), at most 0."""
        total: Floats = np.log(ranks / ranks.shape[1]).sum(axis=0)
        return total
