"""Scores the labelled architectures on each proposed task, all of a task's networks side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import TracebackType

from ..domain import Record
from ..jobs.executor import ProcessExecutor
from ..jobs.messages import Job, WorkerSetup
from ..plan import EvaluatorSpec
from .history import TaskHistory
from .plan import TaskSearchOptions, TaskSearchPlan


class Verdict(StrEnum):
    """How a task ended; only ``RANKED`` carries a fitness."""

    RANKED = "ranked"
    UNRANKED = "unranked"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class TaskOutcome:
    """A proposed task and how well it ranks the labelled architectures.

    Attributes:
        number: Number of the proposal, from 0.
        design: The task's canonical text.
        records: What its networks got, in the order of the labelled architectures; an abandoned task lacks the last.
        verdict: ``ranked``; ``unranked`` if it puts all on one rank, as where no network got a score; ``abandoned`` if
            it could not become the best any more.
        fitness: Spearman's rho, None unless it is ranked.
        kendall: Kendall's tau-b, None unless it is ranked.
        bound: What its fitness could not have exceeded, if it was abandoned.
        repeated: Whether the same task had been proposed before: nothing was computed.
    """

    number: int
    design: str
    records: tuple[Record, ...]
    verdict: Verdict
    fitness: float | None = None
    kendall: float | None = None
    bound: float | None = None
    repeated: bool = False


@dataclass
class Assessment:
    """A task whose networks are being trained.

    Attributes:
        number: Number of the proposal.
        design: The task's text.
        spec: The evaluator with this task.
        bar: A task whose fitness cannot reach it is abandoned; None for no bar. It is the best fitness that was known
            when the task was proposed, so that it does not depend on which network ends first.
        records: Of the first networks, without gaps.
        early: Records of later networks that ended before earlier ones did.
        submitted: Number of networks that were submitted or had a record.
        bound: What the fitness cannot exceed, once the task is abandoned.
    """

    number: int
    design: str
    spec: EvaluatorSpec
    bar: float | None
    records: list[Record] = field(default_factory=list)
    early: dict[int, Record] = field(default_factory=dict)
    submitted: int = 0
    bound: float | None = None

    @property
    def running(self) -> int:
        """Number of networks that were submitted and have not ended."""
        return self.submitted - len(self.records) - len(self.early)


class TaskScoring:
    """Turns proposals into outcomes; use it as a context manager, which ends its worker processes.

    Args:
        plan: What judges the tasks.
        options: Where to compute.
        history: Takes the records as they come, and has those of earlier.
    """

    def __init__(self, plan: TaskSearchPlan, options: TaskSearchOptions, history: TaskHistory) -> None:
        header = plan.header
        setup = WorkerSetup(header.space, header.dataset, plan.images, header.seed, options.threads)
        self._executor = ProcessExecutor(setup, options.devices, options.time_limit)
        self._plan = plan
        self._history = history
        self._workers = len(options.devices)
        self._arch_ids = plan.judge.labelled.arch_ids
        self._open: dict[int, Assessment] = {}
        self._outcomes: dict[str, TaskOutcome] = {}
        self._best: float | None = None

    def __enter__(self) -> TaskScoring:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)

    def start(self, _text: str, design: str) -> Callable[[], TaskOutcome]:
        """Store a proposal and let its networks be scored; the result waits for all of them that count."""
        number = self._history.propose(design)
        if design in self._outcomes or any(assessment.design == design for assessment in self._open.values()):
            return lambda: replace(self._outcomes[design], number=number, repeated=True)
        bar = None if self._plan.learns else self._best
        assessment = Assessment(number, design, self._plan.evaluator_with(design), bar)
        self._open[number] = assessment
        self._replay(assessment)
        self._submit(assessment)
        return lambda: self._wait(assessment)

    def _wait(self, assessment: Assessment) -> TaskOutcome:
        while not self._is_finished(assessment):
            for (number, network), record in self._executor.collect():
                # Networks of an abandoned task may still end; they do not count.
                if number in self._open:
                    self._take(self._open[number], network, record)
        del self._open[assessment.number]
        outcome = self._outcomes[assessment.design] = self._conclude(assessment)
        if outcome.fitness is not None and (self._best is None or outcome.fitness > self._best):
            self._best = outcome.fitness
        return outcome

    def _replay(self, assessment: Assessment) -> None:
        for record in self._history.records[assessment.number]:
            if self._is_finished(assessment):
                raise self._history.of_another_version(f"proposal {assessment.number + 1} is abandoned earlier now")
            self._count(assessment, record)
        assessment.submitted = len(assessment.records)

    def _take(self, assessment: Assessment, network: int, record: Record) -> None:
        """Store what has no gap before it, and decide after each network whether the next ones are needed."""
        assessment.early[network] = record
        while len(assessment.records) in assessment.early and not self._is_finished(assessment):
            following = assessment.early.pop(len(assessment.records))
            self._history.add(assessment.number, following)
            self._count(assessment, following)
        self._submit(assessment)

    def _count(self, assessment: Assessment, record: Record) -> None:
        assessment.records.append(record)
        if assessment.bar is None or len(assessment.records) == len(self._arch_ids):
            return
        bound = self._plan.judge.bound(assessment.records)
        if bound is not None and bound < assessment.bar:
            assessment.bound = bound

    def _submit(self, assessment: Assessment) -> None:
        """Submit all networks, or as many as there are workers if the task may be abandoned."""
        while not self._is_finished(assessment) and assessment.submitted < len(self._arch_ids):
            if assessment.bar is not None and assessment.running >= self._workers:
                return
            network = assessment.submitted
            assessment.submitted += 1
            self._executor.submit(Job((assessment.number, network), assessment.spec, self._arch_ids[network]))

    def _is_finished(self, assessment: Assessment) -> bool:
        return assessment.bound is not None or len(assessment.records) == len(self._arch_ids)

    def _conclude(self, assessment: Assessment) -> TaskOutcome:
        number, design, records = assessment.number, assessment.design, tuple(assessment.records)
        if assessment.bound is not None:
            return TaskOutcome(number, design, records, Verdict.ABANDONED, bound=assessment.bound)
        fitness = self._plan.judge.fitness(records)
        if fitness is None:
            return TaskOutcome(number, design, records, Verdict.UNRANKED)
        return TaskOutcome(number, design, records, Verdict.RANKED, fitness, self._plan.judge.kendall(records))
