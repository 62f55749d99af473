"""Evaluates proposals: scores and costs are of the file, of an isomorphic architecture, or of a worker process.

Limited costs are obtained as soon as an architecture is proposed. One above a limit is refused: it is never scored, the
strategy is told None at its turn, and another proposal takes its place among the evaluations that were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import cast

from ..asktell.loop import PendingProposal, Proposal
from ..asktell.options import SearchOptions
from ..domain import Status
from ..jobs.messages import Job, WorkerSetup
from ..plan import EvaluatorHeader, JobIndex
from .history import Step, make_step
from .plan import SearchPlan
from .writer import SearchWriter


class Evaluations:
    """Turns proposals into steps and runs every job once; a context manager, which ends its worker processes.

    Args:
        plan: Names the evaluators and what they see.
        options: Where to compute.
        writer: Takes proposals and records as they come, and has those of earlier.
    """

    def __init__(self, plan: SearchPlan, options: SearchOptions, writer: SearchWriter) -> None:
        header, planned = plan.header, writer.results().plan
        setup = WorkerSetup(
            header.space, header.dataset, plan.images, header.seed, options.threads, evaluators=plan.evaluators,
            space_version=planned.space_version, dataset_version=planned.dataset_version,
        )  # fmt: skip
        self._executor = options.start_executor(setup, options.devices, options.time_limit)
        self._evaluators = plan.evaluators
        self._header = header
        self._writer = writer
        self._seen: set[tuple[str, int]] = set()
        self._submitted: set[JobIndex] = set()

    def __enter__(self) -> Evaluations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.close()

    def start(self, proposal: Proposal) -> PendingProposal[Step]:
        """Store a proposal, obtain its limited costs, and let it be scored if it is within the limits.

        Raises:
            ResultsFileError: The file has another proposal here, or its inputs are not those of a new record.
            ResultsWriteError: The disk is full or gone.
            NasbenchError: Workers cannot start.
        """
        key = (proposal.canonical, proposal.rung)
        position = self._writer.propose(proposal)
        finish = partial(self._finish, proposal, position, repeated=key in self._seen)
        self._seen.add(key)
        limited = [cost.evaluator for cost in self._header.costs if cost.limit is not None]
        early = finish(self._submit(limited, position, proposal.canonical))
        if early is not None and early.refused:
            return PendingProposal(proposal, lambda: early, counts=False)
        needed = [self._header.rungs[proposal.rung], *(cost.evaluator for cost in self._header.costs)]
        jobs = self._submit(needed, position, proposal.canonical)
        return PendingProposal(proposal, lambda: cast(Step, finish(jobs)))

    def objectives(self, outcome: Step) -> tuple[float, ...] | None:
        """Return fitness and minimised costs, all turned so that higher is better; None if one of them is missing."""
        return outcome.objectives(self._header)

    def _submit(self, evaluators: Iterable[EvaluatorHeader | None], position: int, arch_id: str) -> list[JobIndex]:
        """Let evaluators score an architecture and return their jobs; what the table says needs none."""
        jobs = [(self._header.position(evaluator), position) for evaluator in evaluators if evaluator]
        for job in jobs:
            if self._writer.status(job) is Status.PENDING and job not in self._submitted:
                self._submitted.add(job)
                self._executor.submit(Job(job, self._evaluators[job[0]], arch_id))
        return jobs

    def _finish(self, proposal: Proposal, position: int, jobs: Sequence[JobIndex], *, repeated: bool) -> Step | None:
        """Wait for jobs, whose records are on disk then, and return the step, None while it needs others as well."""
        while any(self._writer.status(job) is Status.PENDING for job in jobs):
            for ended, record in self._executor.collect():
                self._writer.add(ended, record)
        records, truth = self._writer.records_of(position), self._writer.truth(position)
        return make_step(self._header, proposal, records, truth, repeated=repeated)
