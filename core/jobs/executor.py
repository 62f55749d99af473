"""Runs jobs in worker processes; a job that crashes or hangs costs its worker, never the run."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

from ..domain import Record, Seconds, Status
from ..errors import NasbenchError
from ..plan import JobIndex
from .messages import Job, WorkerFailed, WorkerReady, WorkerSetup
from .worker import worker_main

# A worker that never gets ready, several times in a row, will not get ready the next time either.
MAX_FAILED_STARTS = 3


class Worker:
    """One worker process and the job it is doing."""

    def __init__(self, setup: WorkerSetup, device: str) -> None:
        self.device = device
        self.ready = False
        self.job: Job | None = None
        self.started_at = 0.0
        context = _start_method()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=worker_main, args=(theirs, setup, device), daemon=True)
        self.process.start()
        theirs.close()

    def start(self, job: Job) -> None:
        """Hand over a job. Raises OSError if the process is gone."""
        self.connection.send(job)
        self.job = job
        self.started_at = time.monotonic()

    def stop(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def last_words(self) -> str:
        """Return how the process ended, in words."""
        self.process.join(timeout=5)
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; perhaps the machine ran out of memory" if name == "SIGKILL" else ""
            return f"the worker process was killed by {name}{hint}"
        return f"the worker process ended with exit code {code}"


class ProcessExecutor:
    """A pool of worker processes, one a device; use it as a context manager.

    Jobs that are known beforehand go to ``run``; a search calls ``submit`` and ``collect`` as it finds out.

    Args:
        setup: What all workers need to know.
        devices: Device of each worker.
        time_limit: Seconds that one job may take, None for no limit.
    """

    def __init__(self, setup: WorkerSetup, devices: Sequence[str], time_limit: float | None) -> None:
        self._setup = setup
        self._time_limit = time_limit
        self._devices = devices
        self._workers: list[Worker] = []
        self._waiting: deque[Job] = deque()
        self._failed_starts = 0

    def __enter__(self) -> ProcessExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.stop()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[JobIndex, Record]]:
        """Run jobs, yielding each record as it comes; the order of records is not fixed, their content is.

        Raises:
            NasbenchError: Workers cannot start.
        """
        for job in jobs:
            self.submit(job)
        while self._unfinished:
            yield from self.collect()

    def submit(self, job: Job) -> None:
        """Add one job; a worker starts if all that have started would have something to do."""
        self._waiting.append(job)
        if len(self._workers) < min(self._unfinished, len(self._devices)):
            device = self._devices[len(self._workers)]
            self._workers.append(Worker(self._setup, device))

    def collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Hand out submitted jobs, wait for news from a worker, and yield the records of jobs that have ended, if any.

        Raises:
            NasbenchError: Workers cannot start.
        """
        for worker in self._idle_workers():
            if self._waiting and self._hand_over(worker, self._waiting[0]):
                self._waiting.popleft()
        yield from self._collect()

    @property
    def _unfinished(self) -> int:
        return len(self._waiting) + sum(worker.job is not None for worker in self._workers)

    def _idle_workers(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.ready and worker.job is None]

    def _hand_over(self, worker: Worker, job: Job) -> bool:
        try:
            worker.start(job)
        except OSError:
            # The worker died while it had nothing to do: the job is not to blame and goes to another one.
            self._replace(worker)
            return False
        return True

    def _collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Wait for news from any worker, or for the next time limit, and yield what has ended."""
        by_connection: dict[Any, Worker] = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), self._seconds_to_next_limit()):
            outcome = self._receive(by_connection[connection])
            if outcome:
                yield outcome
        for worker in self._workers:
            if worker.job and self._overdue(worker):
                yield self._give_up(worker, Status.TIMEOUT, f"took longer than the limit of {self._time_limit:g} s")

    def _receive(self, worker: Worker) -> tuple[JobIndex, Record] | None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            return self._handle_end(worker)
        if isinstance(message, WorkerReady):
            worker.ready = True
            self._failed_starts = 0
            return None
        if isinstance(message, WorkerFailed):
            raise NasbenchError(f"A worker process on {worker.device} could not start: {message.reason}")
        job, worker.job = worker.job, None
        assert job is not None
        return job.index, message

    def _handle_end(self, worker: Worker) -> tuple[JobIndex, Record] | None:
        if worker.job:
            return self._give_up(worker, Status.CRASHED, worker.last_words())
        self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            raise NasbenchError(f"Worker processes on {worker.device} do not start: {worker.last_words()}.")
        self._replace(worker)
        return None

    def _give_up(self, worker: Worker, status: Status, message: str) -> tuple[JobIndex, Record]:
        job = worker.job
        assert job is not None
        seconds = Seconds(compute=time.monotonic() - worker.started_at)
        self._replace(worker)
        return job.index, Record(status, float("nan"), message, seconds)

    def _replace(self, worker: Worker) -> None:
        worker.stop()
        self._workers[self._workers.index(worker)] = Worker(self._setup, worker.device)

    def _overdue(self, worker: Worker) -> bool:
        return self._time_limit is not None and time.monotonic() - worker.started_at > self._time_limit

    def _seconds_to_next_limit(self) -> float | None:
        busy = [worker.started_at for worker in self._workers if worker.job]
        if self._time_limit is None or not busy:
            return None
        return max(0.0, min(busy) + self._time_limit - time.monotonic()) + 0.01


def _start_method() -> Any:
    """Fork workers from a server that has imported torch once and computed nothing: they start at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "numpy", worker_main.__module__])
    return context
