"""What becomes of architectures without a score, and how many share one."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, Mask


class FailurePolicy(StrEnum):
    """What becomes of an architecture whose job failed: it shares the worst rank, or is left out."""

    WORST = "worst"
    OMIT = "omit"

    @property
    def other(self) -> FailurePolicy:
        """The policy of the secondary figures."""
        return FailurePolicy.OMIT if self is FailurePolicy.WORST else FailurePolicy.WORST


def apply_failure_policy(oriented_scores: ArrayLike, ok_mask: ArrayLike, policy: str) -> tuple[Floats, Mask]:
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
