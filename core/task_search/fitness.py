"""How well a task ranks the labelled architectures, and how well it still could.

The fitness is Spearman's rho between scores and labels, both turned so that higher is better. ``absolute`` is what the
GenNAS authors' code maximises instead: a task that ranks backwards is a winner there. Architectures without a score
share the worst rank, as in reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..domain import Direction, Record, Status
from ..planning.labelled import LabelledArchitectures
from ..statistics.arrays import Floats
from ..statistics.correlation import kendall_tau, spearman_rho
from ..statistics.ranks import dense_ranks

FitnessKind = Literal["signed", "absolute"]


@dataclass(frozen=True)
class TaskFitness:
    """The fitness of tasks, by their records of the labelled architectures.

    Attributes:
        labelled: The architectures; records come in their order.
        direction: Which end of the scores is the good one.
        kind: Whether a backward ranking is a bad or a good one.
    """

    labelled: LabelledArchitectures
    direction: Direction
    kind: FitnessKind

    def spearman(self, records: Sequence[Record]) -> float | None:
        """Return the fitness of a task that scored all architectures, None if it puts them all on one rank."""
        return self._correlate(spearman_rho, records)

    def kendall(self, records: Sequence[Record]) -> float | None:
        """Return Kendall's tau-b in the place of Spearman's rho."""
        return self._correlate(kendall_tau, records)

    def bound(self, records: Sequence[Record]) -> float | None:
        """Return what no completion of the first records exceeds as fitness, or None if ties or failures forbid to say.

        See :func:`highest_rho`.
        """
        labels = self._labels()
        scores = self._scores(records)
        if len(set(scores.tolist())) < len(records) or not np.isfinite(scores).all() or len(set(labels)) < len(labels):
            return None
        ranks, order = dense_ranks(labels).tolist(), np.argsort(scores)
        upwards = [ranks[index] for index in order]
        rest = sorted(ranks[len(records) :])
        signed = highest_rho(upwards, rest)
        return signed if self.kind == "signed" else max(signed, highest_rho(upwards[::-1], rest))

    def _correlate(
        self, correlation: Callable[[Floats, Floats], float | None], records: Sequence[Record]
    ) -> float | None:
        value = correlation(self._scores(records), self._labels())
        return value if value is None or self.kind == "signed" else abs(value)

    def _scores(self, records: Sequence[Record]) -> Floats:
        sign = self.direction.sign
        return np.array([sign * record.score if record.status is Status.OK else -math.inf for record in records])

    def _labels(self) -> Floats:
        return self.labelled.direction.sign * np.array(self.labelled.labels)


def highest_rho(scored: Sequence[int], unscored: Sequence[int]) -> float:
    """Return the highest Spearman's rho that any scores of the unscored architectures can lead to.

    Without ties, the best completion leaves the scored ones in their order and, since swapping two unscored ones moves
    nothing else, puts the unscored ones in the order of their labels; of all ways to interleave the two sequences a
    dynamic programme finds the one with the largest sum of position times label rank.

    Ties with or among unscored ones do not lead higher. Let V be the squared norm of the centred average ranks, c their
    product with those of the labels, and N = (n^3 - n) / 12 the squared norm without ties. Split every group of ties in
    the order of labels; it has at most one scored architecture, so the order of the scored ones stays. In a group of t,
    label ranks differ by 1 at least, which adds (t^3 - t) / 12 or more to c: N - V or more over all groups. The new rho
    is at least (c + N - V) / N, the old one is c / sqrt(V N), and by Cauchy-Schwarz c <= sqrt(V N). Hence N times their
    difference is at least N - V - c (sqrt(N / V) - 1) >= N - V - (N - sqrt(V N)) = sqrt(V N) - V >= 0.

    Args:
        scored: Label ranks of the scored architectures, from 0, the worst-scored first; scores are distinct.
        unscored: Label ranks of the others, ascending. Together they are 0 to n - 1.
    """
    n = len(scored) + len(unscored)
    # best[j] after i rounds: largest sum for the i first scored and the j first unscored ones.
    best = [0]
    for position, label in enumerate(unscored):
        best.append(best[-1] + position * label)
    for taken, scored_label in enumerate(scored):
        best[0] += taken * scored_label
        for other, unscored_label in enumerate(unscored):
            position = taken + other + 1
            best[other + 1] = max(best[other + 1] + position * scored_label, best[other] + position * unscored_label)
    # Twice the centred ranks are whole numbers, here as in correlations: no rounding hides a fitness that is equal.
    covariance = 4 * best[-1] - n * (n - 1) ** 2
    return covariance / (n * (n * n - 1) // 3)
