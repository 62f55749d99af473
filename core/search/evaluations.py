"""Gives proposals their scores and costs: from the file, from an isomorphic architecture, or from a worker process."""

from __future__ import annotations

from types import TracebackType

from ..domain import Record, Status
from ..jobs.executor import ProcessExecutor
from ..jobs.messages import Job, WorkerSetup
from ..plan import JobIndex
from .plan import SearchOptions, SearchPlan
from .writer import SearchWriter


class Evaluations:
    """Runs every job once; use it as a context manager, which ends its worker processes.

    Args:
        plan: Names the evaluators and what they see.
        options: Where to compute.
        writer: Takes the records as they come, and has those of earlier.
    """

    def __init__(self, plan: SearchPlan, options: SearchOptions, writer: SearchWriter) -> None:
        header = plan.header
        setup = WorkerSetup(
            header.space, header.dataset, plan.images, header.seed, options.threads, evaluators=plan.evaluators
        )
        self._executor = ProcessExecutor(setup, options.devices, options.time_limit)
        self._evaluators = plan.evaluators
        self._writer = writer
        self._submitted: set[JobIndex] = set()

    def __enter__(self) -> Evaluations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)

    def start(self, job: JobIndex, arch_id: str) -> None:
        """Let an evaluator score an architecture, unless that has been done or begun."""
        if self._writer.status(job) is Status.PENDING and job not in self._submitted:
            self._submitted.add(job)
            self._executor.submit(Job(job, self._evaluators[job[0]], arch_id))

    def record(self, job: JobIndex) -> Record:
        """Wait until a job that was started has ended, and return its record, which is on disk by then.

        Raises:
            ResultsFileError: Its images are not those of the file's earlier records.
            ResultsWriteError: The disk is full or gone.
            NasbenchError: Workers cannot start.
        """
        while self._writer.status(job) is Status.PENDING:
            for ended, record in self._executor.collect():
                self._writer.add(ended, record)
        return self._writer.record(job)
