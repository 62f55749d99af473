"""Gives proposals their scores: from the file, from an isomorphic architecture, or from a worker process."""

from __future__ import annotations

from types import TracebackType

from ..domain import Record
from ..executor import ProcessExecutor
from ..plan import Plan, PlanHeader
from .plan import SearchOptions, SearchPlan
from .writer import SearchWriter


class Evaluations:
    """Scores every architecture once; use it as a context manager, which ends its worker processes.

    Args:
        plan: Names the evaluator and what it sees.
        options: Where to compute.
        writer: Takes the records as they come, and has those of earlier.
    """

    def __init__(self, plan: SearchPlan, options: SearchOptions, writer: SearchWriter) -> None:
        header = plan.header
        jobs = Plan(
            PlanHeader(header.space, header.dataset, header.seed, sampling=""),
            arch_ids=(),
            evaluators=(plan.evaluator,),
            ground_truth=(),
            images=plan.images,
        )
        self._executor = ProcessExecutor(jobs, options.devices, options.threads, options.time_limit)
        self._writer = writer
        self._submitted: set[int] = set()

    def __enter__(self) -> Evaluations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)

    def start(self, position: int, arch_id: str) -> None:
        """Let an architecture be scored, unless that has been done or begun."""
        if (0, position) not in self._writer.records and position not in self._submitted:
            self._submitted.add(position)
            self._executor.submit((0, position), arch_id)

    def record(self, position: int) -> Record:
        """Wait until an architecture that was started is scored, and return its record, which is on disk by then.

        Raises:
            ResultsFileError: Its images are not those of the file's earlier records.
            ResultsWriteError: The disk is full or gone.
            NasbenchError: Workers cannot start.
        """
        while (0, position) not in self._writer.records:
            for job, record in self._executor.collect():
                self._writer.add(job, record)
        return self._writer.records[0, position]
