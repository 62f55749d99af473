"""Scores the labelled architectures on each proposed task, all of a task's networks side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import TracebackType

from ..asktell.loop import PendingProposal, Proposal
from ..asktell.options import SearchOptions
from ..domain import Record
from ..jobs.messages import Job, WorkerSetup
from ..plan import EvaluatorSpec
from .history import TaskHistory
from .plan import TaskSearchPlan


class TaskStatus(StrEnum):
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
        status: ``ranked``; ``unranked`` if it puts all on one rank, as where no network got a score; ``abandoned`` if
            it could not become the best any more.
        fitness: Spearman's rho, None unless it is ranked.
        kendall: Kendall's tau-b, None unless it is ranked.
        bound: What its fitness could not have exceeded, if it was abandoned.
        repeated: Whether the same task had been proposed before: nothing was computed.
    """

    number: int
    design: str
    records: tuple[Record, ...]
    status: TaskStatus
    fitness: float | None = None
    kendall: float | None = None
    bound: float | None = None
    repeated: bool = False


@dataclass
class RunningTask:
    """A task whose networks are being trained.

    Attributes:
        number: Number of the proposal.
        design: The task's text.
        spec: The evaluator with this task.
        incumbent: The best fitness that was known when the task was proposed, so that it does not depend on which
            network ends first. A task that cannot reach it is abandoned; None if none is.
        records: Of the first networks, without gaps.
        early: Records of later networks that ended before earlier ones did.
        waiting: Networks without a record that were not submitted, in their order.
        running: Number of networks that were submitted and have not ended.
        bound: What the fitness cannot exceed, once the task is abandoned.
    """

    number: int
    design: str
    spec: EvaluatorSpec
    incumbent: float | None
    records: list[Record] = field(default_factory=list)
    early: dict[int, Record] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    running: int = 0
    bound: float | None = None


class TaskScoring:
    """Turns proposals into outcomes; use it as a context manager, which ends its worker processes.

    Args:
        plan: Gives the tasks their fitness.
        options: Where to compute.
        history: Takes the records as they come, and has those of earlier.
    """

    def __init__(self, plan: TaskSearchPlan, options: SearchOptions, history: TaskHistory) -> None:
        header = plan.header
        setup = WorkerSetup(
            header.space, header.dataset, plan.images, header.seed, options.threads,
            space_version=header.space_version, dataset_version=header.dataset_version,
        )  # fmt: skip
        self._executor = options.start_executor(setup, options.devices, options.time_limit)
        self._plan = plan
        self._history = history
        self._workers = len(options.devices)
        self._arch_ids = plan.fitness.labelled.arch_ids
        self._open: dict[int, RunningTask] = {}
        self._outcomes: dict[str, TaskOutcome] = {}
        self._best: float | None = None

    def __enter__(self) -> TaskScoring:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.close()

    def start(self, proposal: Proposal) -> PendingProposal[TaskOutcome]:
        """Store a proposal and let its networks be scored; its outcome waits for all of them that count."""
        design = proposal.canonical
        number = self._history.propose(design)
        if design in self._outcomes or any(task.design == design for task in self._open.values()):
            return PendingProposal(proposal, lambda: replace(self._outcomes[design], number=number, repeated=True))
        incumbent = None if self._plan.learns else self._best
        task = RunningTask(number, design, self._plan.evaluator_with(design), incumbent)
        self._open[number] = task
        self._replay(task, self._history.records[number])
        self._submit(task)
        return PendingProposal(proposal, lambda: self._wait(task))

    def objectives(self, outcome: TaskOutcome) -> tuple[float] | None:
        """Return the fitness, None if there is none."""
        return None if outcome.fitness is None else (outcome.fitness,)

    def _wait(self, task: RunningTask) -> TaskOutcome:
        while not self._is_finished(task):
            for (number, network), record in self._executor.collect():
                # Networks of an abandoned task may still end; they do not count.
                if number in self._open:
                    self._take(self._open[number], network, record)
        del self._open[task.number]
        outcome = self._outcomes[task.design] = self._conclude(task)
        if outcome.fitness is not None and (self._best is None or outcome.fitness > self._best):
            self._best = outcome.fitness
        return outcome

    def _replay(self, task: RunningTask, stored: Mapping[int, Record]) -> None:
        task.early.update(stored)
        task.waiting.extend(network for network in range(len(self._arch_ids)) if network not in stored)
        self._count_without_gaps(task)

    def _take(self, task: RunningTask, network: int, record: Record) -> None:
        self._history.add(task.number, network, record)
        task.running -= 1
        task.early[network] = record
        self._count_without_gaps(task)
        self._submit(task)

    def _count_without_gaps(self, task: RunningTask) -> None:
        """Decide after each network whether the next ones are needed, so that it does not matter which end early."""
        while len(task.records) in task.early and not self._is_finished(task):
            self._count(task, task.early.pop(len(task.records)))

    def _count(self, task: RunningTask, record: Record) -> None:
        task.records.append(record)
        if task.incumbent is None or len(task.records) == len(self._arch_ids):
            return
        bound = self._plan.fitness.bound(task.records)
        if bound is not None and bound < task.incumbent:
            task.bound = bound

    def _submit(self, task: RunningTask) -> None:
        """Submit all networks, or as many as there are workers if the task may be abandoned."""
        while task.waiting and not self._is_finished(task):
            if task.incumbent is not None and task.running >= self._workers:
                return
            network = task.waiting.popleft()
            task.running += 1
            self._executor.submit(Job((task.number, network), task.spec, self._arch_ids[network]))

    def _is_finished(self, task: RunningTask) -> bool:
        return task.bound is not None or len(task.records) == len(self._arch_ids)

    def _conclude(self, task: RunningTask) -> TaskOutcome:
        number, design, records = task.number, task.design, tuple(task.records)
        if task.bound is not None:
            return TaskOutcome(number, design, records, TaskStatus.ABANDONED, bound=task.bound)
        fitness = self._plan.fitness.spearman(records)
        if fitness is None:
            return TaskOutcome(number, design, records, TaskStatus.UNRANKED)
        return TaskOutcome(number, design, records, TaskStatus.RANKED, fitness, self._plan.fitness.kendall(records))
