"""What a search found, measured with the space's table: value, rank and regret.

Regret is the value of the best architecture in the table minus that of the architecture found, in the metric's unit and
turned so that it is never negative. Where the table knows another optimum (``GroundTruth.optimum``), that takes the
place of the best value, and regret is negative where something better was found. Simple regret after t evaluations is
that of the best architecture by score so far, where the earliest of equal ones counts. The table measures: no decision
of a search sees it, unless its evaluator does.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..asktell.curves import SearchCurve, Spread, mean_curve
from ..domain import Metric
from ..interfaces import GroundTruth
from .front import pareto_front
from .history import SearchHistory, Step

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class TableSummary:
    """What a table says of all its architectures, by one metric.

    Attributes:
        metric: The metric.
        values: All measured values turned so that higher is better, the best first; empty if the table does not list
            them.
        optimum: What regret is measured from, as the table has it; None for the best of the values.
        limited: Whether only the architectures within limits count.
    """

    metric: Metric
    values: Sequence[float]
    optimum: float | None = None
    limited: bool = False

    @classmethod
    def read(cls, table: GroundTruth, metric: Metric, limits: Sequence[tuple[Metric, float]] = ()) -> TableSummary:
        """Read one metric of a table.

        Args:
            table: The table.
            metric: One of its metrics.
            limits: Others of its metrics and what they may be at most: architectures above do not count.
        """
        import numpy as np

        # The optimum that a table knows is that of all architectures.
        optimum = None if limits else table.optimum(metric)
        values = table.all_values(metric)
        if values is None:
            return cls(metric, (), optimum)
        within = np.ones(len(values), dtype=np.bool_)
        for cost, limit in limits:
            costs = table.all_values(cost)
            within &= False if costs is None else np.asarray(costs, dtype=np.float64) <= limit
        kept = np.asarray(values, dtype=np.float64)[within]
        return replace(cls.of(metric, kept), optimum=optimum, limited=bool(limits))

    @classmethod
    def of(cls, metric: Metric, values: ArrayLike) -> TableSummary:
        """Summarise values; NaN stands for none."""
        import numpy as np

        known = np.asarray(values, dtype=np.float64)
        oriented = metric.direction.sign * known[~np.isnan(known)]
        return cls(metric, np.sort(oriented)[::-1].tolist())

    @property
    def best(self) -> float | None:
        """The best value as the table has it, None if not known."""
        return self.metric.direction.sign * self.values[0] if self.values else None

    def rank(self, value: float) -> int | None:
        """Return 1 plus the number of architectures that are strictly better, None if not known."""
        if not self.values or math.isnan(value):
            return None
        oriented = self.metric.direction.sign * value
        # Negated, the values ascend: those before the place of an equal one are strictly better.
        return 1 + bisect.bisect_left(self.values, -oriented, key=lambda other: -other)

    def regret(self, value: float) -> float | None:
        """Return how much worse than the optimum a value is, None if not known."""
        optimum = self.best if self.optimum is None else self.optimum
        if optimum is None or math.isnan(value):
            return None
        return self.metric.direction.sign * (optimum - value)


@dataclass(frozen=True)
class FrontMember:
    """An architecture on the Pareto front.

    Attributes:
        step: Where it was first evaluated.
        value: The table's value, NaN if it has none.
    """

    step: Step
    value: float


@dataclass(frozen=True)
class SearchOutcome:
    """What one search found.

    Attributes:
        history: The search.
        best: The best step by score, the earliest of equal ones; None if no architecture got a score. Where a supernet
            is trained, the last step, and None if the training failed.
        best_evaluation: Its number, from 1.
        table: The table by the metric that is compared with, None if there is none.
        value: The table's value of the architecture found, NaN if it has none.
        curve: The table's value of the best architecture by score after each evaluation, NaN where there is none; where
            a supernet is trained, of what was derived after each epoch.
        step_values: The table's value of the architecture of each step, NaN where there is none.
        front: The Pareto front of score and minimised costs, each architecture once, the cheapest by the first cost
            first; empty if nothing is minimised.
    """

    history: SearchHistory
    best: Step | None
    best_evaluation: int | None
    table: TableSummary | None
    value: float
    curve: Sequence[float]
    step_values: Sequence[float]
    front: Sequence[FrontMember] = ()

    @property
    def evaluations(self) -> int:
        """Number of steps."""
        return len(self.history.steps)

    @property
    def architectures(self) -> int:
        """Number of architectures that were scored, isomorphic ones counted once."""
        return len({step.arch_id for step in self.history.steps})

    @property
    def failures(self) -> int:
        """Number of steps without a score."""
        return sum(step.fitness is None for step in self.history.steps)

    @property
    def refused(self) -> int:
        """Number of proposals that were above a limit or lacked a limited cost; they are no evaluations."""
        return len(self.history.refused)

    @property
    def evaluations_by_fidelity(self) -> dict[str, int]:
        """Number of steps by the evaluator's label at each fidelity, ascending."""
        counts = Counter(step.rung for step in self.history.steps)
        return {header.label: counts[rung] for rung, header in enumerate(self.history.header.rungs)}

    @property
    def rank(self) -> int | None:
        """Rank of the architecture found among all of the table, from 1; None if not known."""
        return None if self.table is None else self.table.rank(self.value)

    @property
    def regret(self) -> float | None:
        """Regret of the architecture found; None if not known."""
        return None if self.table is None else self.table.regret(self.value)

    @property
    def regret_curve(self) -> list[float | None]:
        """Regret after each evaluation; None where it is not known."""
        return [None if self.table is None else self.table.regret(value) for value in self.curve]


def find_outcome(history: SearchHistory, table: TableSummary | None) -> SearchOutcome:
    """Say what a search found.

    Args:
        history: The search.
        table: The table by the metric that is compared with: the first that the history's results have.
    """
    positions = history.incumbents()
    values = _values_by_architecture(history, table)
    curve = [math.nan if at is None else values.get(history.steps[at].arch_id, math.nan) for at in positions]
    last = positions[-1] if positions else None
    return SearchOutcome(
        history=history,
        best=None if last is None else history.steps[last],
        best_evaluation=None if last is None else last + 1,
        table=table,
        value=curve[-1] if curve else math.nan,
        curve=curve,
        step_values=[values.get(step.arch_id, math.nan) for step in history.steps],
        front=_front(history, values),
    )


def _front(history: SearchHistory, values: Mapping[str, float]) -> list[FrontMember]:
    if not history.header.minimized:
        return []
    first = history.header.costs.index(history.header.minimized[0])
    steps: dict[str, Step] = {}
    for step in history.steps:
        if history.is_full(step) and step.objectives(history.header) is not None:
            steps.setdefault(step.arch_id, step)
    candidates = list(steps.values())
    front = pareto_front([step.objectives(history.header) or () for step in candidates])
    members = [FrontMember(candidates[at], values.get(candidates[at].arch_id, math.nan)) for at in front]
    return sorted(members, key=lambda member: member.step.costs[first])


def mean_regret_curve(outcomes: Sequence[SearchOutcome]) -> list[Spread | None]:
    """Return the mean regret over several searches after each evaluation, as far as :func:`mean_curve` goes."""
    return mean_curve([SearchCurve(outcome.regret_curve, outcome.history.exhausted) for outcome in outcomes])


def _values_by_architecture(history: SearchHistory, table: TableSummary | None) -> dict[str, float]:
    columns = [column for column in history.results.ground_truth if table and column.metric == table.metric]
    if not columns:
        return {}
    return dict(zip(history.results.arch_ids, columns[0].values, strict=True))
