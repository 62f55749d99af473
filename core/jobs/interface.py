"""What runs jobs: processes of this machine, or other machines. Plugins may bring more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from ..domain import Record
from ..plan import JobIndex
from .messages import Job, WorkerSetup


class JobExecutor(ABC):
    """Runs jobs somewhere, and hands back what became of them; a context manager, at whose end all of it stops.

    It is made with a :class:`WorkerSetup`, the device of each worker, the seconds that a job may take (None for no
    limit) and its settings. Jobs may run in any order and many at the same time: their records do not depend on it.
    Every job that was submitted comes back once, whatever happens to the process or machine that did it; one that is
    lost with its machine is repeated. :class:`RemoteWorker` does jobs on another machine as this one would.
    """

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Add one job. Returns at once."""

    @abstractmethod
    def collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Wait for news, and yield the records of jobs that have ended, if any.

        Raises:
            NasbenchError: Nothing can be computed, such as where a plugin is missing.
        """

    @property
    @abstractmethod
    def unfinished(self) -> int:
        """How many jobs were submitted that have not come back."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything; jobs that have not come back are lost. Called once, also after an error."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[JobIndex, Record]]:
        """Run jobs, yielding each record as it comes.

        Raises:
            NasbenchError: See :meth:`collect`.
        """
        for job in jobs:
            self.submit(job)
        while self.unfinished:
            yield from self.collect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


StartExecutor = Callable[[WorkerSetup, Sequence[str], float | None], JobExecutor]
"""Starts an executor, given what jobs have in common, the device of each worker, and the seconds a job may take."""
