"""What a search did, step by step."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..asktell.curves import incumbents
from ..asktell.loop import Proposal
from ..domain import Direction, Record, Status
from ..plan import EvaluatorHeader
from ..results.contents import Results
from ..results.records import PENDING
from .costs import Cost, distinct
from .trajectory import Trajectory


@dataclass(frozen=True)
class SearchHeader:
    """A search as its results file describes it.

    Attributes:
        space: Name of the search space.
        dataset: Name of the data set that the evaluator sees.
        evaluator: The evaluator whose score is maximised, or minimised if that is the better end.
        strategy: Name of the search strategy.
        strategy_settings: Its settings by name.
        seed: The search's seed.
        parallel: Number of proposals that may wait for their scores at the same time. More than one changes the
            sequence of proposals; how many workers there are does not.
        costs: What is limited or minimised besides, the minimised ones in the order of the objectives.
        lower: The evaluator at lower fidelities, ascending; empty if every proposal is evaluated in full.
        versions: Distribution and version of space, data set and strategy.
    """

    space: str
    dataset: str
    evaluator: EvaluatorHeader
    strategy: str
    strategy_settings: Mapping[str, Any]
    seed: int
    parallel: int
    costs: tuple[Cost, ...] = ()
    lower: tuple[EvaluatorHeader, ...] = ()
    versions: tuple[str, str, str] = ("", "", "")

    @property
    def rungs(self) -> tuple[EvaluatorHeader, ...]:
        """The evaluator at every fidelity, the full one last."""
        return *self.lower, self.evaluator

    @property
    def evaluators(self) -> tuple[EvaluatorHeader, ...]:
        """All evaluators, each once, in the order of the results file: the full fidelity, costs, lower fidelities."""
        of_costs = [cost.evaluator for cost in self.costs if cost.evaluator]
        return distinct([self.evaluator, *of_costs, *self.lower])

    def position(self, evaluator: EvaluatorHeader) -> int:
        """Return the position of an evaluator among ``evaluators``."""
        return [header.identity for header in self.evaluators].index(evaluator.identity)

    @property
    def minimized(self) -> tuple[Cost, ...]:
        """The costs that are objectives."""
        return tuple(cost for cost in self.costs if cost.minimized)

    @property
    def search_id(self) -> str:
        """Hash of all that decides the sequence of proposals, 16 hexadecimal digits; its length does not count."""
        described = [
            self.space,
            self.dataset,
            self.evaluator.identity,
            [self.strategy, self.strategy_settings],
            self.seed,
            self.parallel,
            [[cost.identity, cost.limit, cost.minimized] for cost in self.costs],
            [header.identity for header in self.lower],
            self.versions,
            [header.distribution for header in self.evaluators],
        ]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Step:
    """One proposal of the strategy and what became of it.

    Attributes:
        architecture: As the strategy spelled it.
        arch_id: Its canonical string.
        record: The outcome of its job; pending if it was refused.
        repeated: Whether an isomorphic architecture had been proposed before at this fidelity: nothing was computed.
        fitness: The score, turned so that higher is better; None if there is none.
        costs: Its costs in the header's order, NaN where it has none.
        rung: Position of its fidelity among the header's ``rungs``.
        refused: Whether it is above a limit, or lacks a limited cost: it has no fitness and is no evaluation.
    """

    architecture: str
    arch_id: str
    record: Record
    repeated: bool
    fitness: float | None
    costs: tuple[float, ...] = ()
    rung: int = 0
    refused: bool = False

    @classmethod
    def of(
        cls,
        architecture: str,
        arch_id: str,
        record: Record,
        *,
        repeated: bool,
        direction: Direction,
        costs: tuple[float, ...] = (),
        rung: int = 0,
    ) -> Step:
        """Make a step of a proposal and its record; ``direction`` is the evaluator's."""
        fitness = direction.sign * record.score if record.status is Status.OK else None
        return cls(architecture, arch_id, record, repeated, fitness, costs, rung)

    def objectives(self, header: SearchHeader) -> tuple[float, ...] | None:
        """Return fitness and minimised costs, all turned so that higher is better; None if one of them is missing."""
        costs = [value for cost, value in zip(header.costs, self.costs, strict=True) if cost.minimized]
        if self.fitness is None or any(math.isnan(value) for value in costs):
            return None
        return self.fitness, *(-value for value in costs)


def make_step(
    header: SearchHeader, proposal: Proposal, records: Sequence[Record], truth: Mapping[str, float], *, repeated: bool
) -> Step | None:
    """Make a step of all that is known of an architecture.

    Args:
        header: The search.
        proposal: The strategy's proposal.
        records: Of the architecture, by the header's ``evaluators``; pending where a job has not ended.
        truth: The table's values of the architecture, by key of the metric.
        repeated: Whether it was proposed before at this fidelity.

    Returns:
        None while a job that it needs has not ended.
    """
    of_costs = [records[header.position(cost.evaluator)] if cost.evaluator else None for cost in header.costs]
    pending = [record is not None and record.status is Status.PENDING for record in of_costs]
    if any(waits and cost.limit is not None for waits, cost in zip(pending, header.costs, strict=True)):
        return None
    costs = tuple(
        truth[cost.name] if record is None else record.score
        for cost, record in zip(header.costs, of_costs, strict=True)
    )
    if any(cost.exceeds_limit(value) for cost, value in zip(header.costs, costs, strict=True)):
        return Step(proposal.text, proposal.canonical, PENDING, repeated, None, costs, proposal.rung, refused=True)
    record = records[header.position(header.rungs[proposal.rung])]
    if record.status is Status.PENDING or any(pending):
        return None
    return Step.of(
        proposal.text, proposal.canonical, record, repeated=repeated, direction=header.evaluator.direction,
        costs=costs, rung=proposal.rung,
    )  # fmt: skip


@dataclass(frozen=True)
class SearchHistory:
    """All steps of a search, in the order that the strategy was told of them.

    Attributes:
        header: What searched for what.
        steps: The evaluations.
        results: The architectures that were proposed, each once, with their ground truth: a results file's contents,
            whose architectures are in the order in which they were first proposed. Where a search was interrupted,
            some may have no score yet, or one that no step has used; those that were refused never have one.
        refused: The proposals that were refused, in the same order; they are no evaluations.
        exhausted: Whether the search ended before its evaluations were done, since the strategy had no more proposals
            or the limits refused too many of them. It has found all that it ever will.
        trajectory: What was derived after each epoch, None unless the strategy trains a supernet: each step is then
            what was derived after an epoch, and the last one is the answer, whatever its score.
    """

    header: SearchHeader
    steps: Sequence[Step]
    results: Results
    refused: Sequence[Step] = ()
    exhausted: bool = False
    trajectory: Trajectory | None = None

    def is_full(self, step: Step) -> bool:
        """Whether a step was evaluated at full fidelity."""
        return step.rung == len(self.header.lower)

    def incumbents(self) -> list[int | None]:
        """Return after each step the position of what the search would answer, None where it has no answer.

        That is the best step so far, as :func:`incumbents`, of those at full fidelity; of a supernet's architectures
        the last one, and none if its training failed.
        """
        if self.trajectory is not None:
            return [None if self.trajectory.failure else position for position in range(len(self.steps))]
        return incumbents(step.fitness if self.is_full(step) else None for step in self.steps)
