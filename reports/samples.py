"""What an evaluator's correlation is of: its architectures under a failure policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.results.records import Floats, Mask
from ..core.statistics.estimates import Estimate, estimate_rho
from ..core.statistics.failures import FailurePolicy, apply_failure_policy
from ..core.statistics.resampling import Resampling
from .select import EvaluatorSelection


@dataclass(frozen=True)
class Sample:
    """Scores that enter a correlation.

    Attributes:
        scores: Higher is better, minus infinity for failures that share the worst rank; one for each of ``rows``.
        rows: Which architectures they are of, shape `(architectures,)`.
    """

    scores: Floats
    rows: Mask

    @classmethod
    def of(cls, part: EvaluatorSelection, policy: FailurePolicy) -> Sample:
        """Return the finished jobs of an evaluator under a policy."""
        scores, kept = apply_failure_policy(part.scores[part.done], part.ok[part.done], policy)
        rows = part.done.copy()
        rows[part.done] = kept
        return cls(scores, rows)

    @property
    def size(self) -> int:
        """Number of architectures."""
        return self.scores.size

    def among(self, rows: Mask) -> Floats:
        """Return the scores of some of its architectures, shape `(rows,)`."""
        return self.scores[rows[self.rows]]


def estimate_samples(samples: Sequence[Sample], truth: Floats, resampling: Resampling) -> list[Estimate]:
    """Return Spearman's rho of every sample with the ground truth; those of the same architectures share resamples.

    Args:
        samples: Of the architectures that are compared.
        truth: Higher is better, shape `(architectures,)`.
        resampling: Draws the resamples.
    """
    together: dict[bytes, list[int]] = {}
    for position, sample in enumerate(samples):
        together.setdefault(np.packbits(sample.rows).tobytes(), []).append(position)
    estimates = [Estimate()] * len(samples)
    for positions in together.values():
        sides = [samples[position].scores for position in positions]
        for position, estimate in zip(
            positions, estimate_rho(sides, truth[samples[positions[0]].rows], resampling), strict=True
        ):
            estimates[position] = estimate
    return estimates
