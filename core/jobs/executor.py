"""Runs jobs in worker processes; a job that crashes or hangs costs its worker, never the run."""

from __future__ import annotations

import errno
import functools
import itertools
import multiprocessing
import os
import selectors
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from typing import Any

from ..domain import JobCost, Record, Status
from ..errors import NasbenchError
from ..loading.entry_points import find_plugins
from ..plan import JobIndex
from ..settings import Settings
from .interface import JobExecutor
from .messages import Job, WorkerSetup
from .parent_death import kill_descendants
from .replies import MAX_REPLY_BYTES, Message, Reply, WorkerFailed, WorkerReady, decode
from .waiting import Attempt, WaitingJobs
from .worker import CONNECTION_CLOSED, worker_main

NO_SETTINGS = Settings()

# Imported by the server only: it ties itself to this process.
FORK_SERVER = f"{__package__}.fork_server"

# A worker that never gets ready, several times in a row, will not get ready the next time either.
MAX_FAILED_STARTS = 3

# What the system says where a limit of processes, open files or memory is reached.
ERRORS_OF_LIMITS = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM})

# Signals that a process sends itself when its own code is wrong; all others come from outside.
SIGNALS_OF_FAULTS = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}
)

# What multiprocessing says of a process whose end it missed, since the server that it was forked from is gone.
UNKNOWN_EXIT_CODE = 255


class Worker:
    """One worker process and the job it is doing."""

    def __init__(self, setup: WorkerSetup, device: str) -> None:
        self.device = device
        self.ready = False
        self.attempt: Attempt | None = None
        self.arch_id: str | None = None
        self.number = 0
        self.started_at = 0.0
        context = _start_method()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=worker_main, args=(theirs, setup, device, dict(os.environ)), daemon=True)
        with _main_module_hidden():
            self.process.start()
        self.signs = (self.connection.fileno(), self.process.sentinel)
        theirs.close()

    def start(self, attempt: Attempt, number: int) -> None:
        """Hand over a job under a number. Raises OSError if the process is gone."""
        self.connection.send((number, attempt.job))
        self.attempt = attempt
        self.arch_id = attempt.job.arch_id
        self.number = number
        self.started_at = time.monotonic()

    def receive(self) -> Message | None:
        """Return what the process says, None if it is gone or says what no worker says. Waits for it."""
        try:
            return decode(self.connection.recv_bytes(MAX_REPLY_BYTES))
        except (EOFError, OSError, ValueError):
            return None

    def answers(self, reply: Reply) -> bool:
        """Whether a reply is this process's own and to the job that it has now."""
        return self.attempt is not None and (reply.process, reply.number) == (self.process.pid, self.number)

    def stop(self) -> None:
        """End the process at once, with all that comes from it."""
        if self.process.pid is not None and self.process.is_alive():
            kill_descendants(self.process.pid)
        self.process.kill()
        self.process.join()
        self.connection.close()

    def exit_code(self) -> int | None:
        """Return how the process ended, None if it does not end: then it is ended."""
        self.process.join(timeout=5)
        code: int | None = self.process.exitcode
        return code


class ProcessExecutor(JobExecutor):
    """A pool of worker processes, one a device; use it as a context manager.

    A job whose worker is killed from outside is repeated once, and so is one that got no memory beside others, alone.

    Args:
        setup: What all workers need to know.
        devices: Device of each worker.
        time_limit: Seconds that one job may take, None for no limit.
        settings: It has none.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        devices: Sequence[str],
        time_limit: float | None,
        settings: Settings = NO_SETTINGS,
    ) -> None:
        self._setup = setup
        self._time_limit = time_limit
        self._devices = devices
        self._workers: list[Worker] = []
        self._waiting = WaitingJobs()
        self._numbers = itertools.count(1)
        self._failed_starts = 0
        self._selector = selectors.DefaultSelector()

    def close(self) -> None:
        """End all worker processes."""
        for worker in self._workers:
            worker.stop()
        self._selector.close()

    def submit(self, job: Job) -> None:
        """Add one job; a worker starts if all that have started would have something to do."""
        self._waiting.add(Attempt(job))
        self._start_workers()

    def collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Hand out submitted jobs, wait for news from a worker, and yield the records of jobs that have ended, if any.

        Raises:
            NasbenchError: Workers cannot start.
        """
        self._start_workers()
        for worker in tuple(self._workers):
            self._hand_out_if_idle(worker)
        # One that had died is gone from the list, and without any worker there would be nothing to wait for.
        self._start_workers()
        yield from self._collect()

    @property
    def unfinished(self) -> int:
        """How many jobs were submitted that have not come back."""
        return len(self._waiting) + len(self._busy)

    @property
    def _busy(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.attempt]

    def _start_workers(self) -> None:
        """Start workers on devices that have none, as many as have something to do."""
        wanted = min(self.unfinished, len(self._devices)) - len(self._workers)
        if wanted <= 0:
            return
        free = Counter(self._devices) - Counter(worker.device for worker in self._workers)
        for device in list(free.elements())[:wanted]:
            worker = self._start_worker(device)
            self._workers.append(worker)
            # A process that an evaluator forked may keep a connection open, so that its end alone says nothing.
            for sign in worker.signs:
                self._selector.register(sign, selectors.EVENT_READ, worker)

    def _start_worker(self, device: str) -> Worker:
        while True:
            try:
                return Worker(self._setup, device)
            except (EOFError, ConnectionError):
                self._count_failed_start(
                    device, "the server that they are forked from ended; perhaps the machine ran out of memory"
                )
            except OSError as error:
                if error.errno not in ERRORS_OF_LIMITS:
                    raise NasbenchError(f"Worker processes on {device} cannot start: {error}.") from error
                raise NasbenchError(
                    f"Only {len(self._workers)} of {len(self._devices)} worker processes can start: {error.strerror}. "
                    "Raise that limit, or take fewer with --workers."
                ) from error

    def _count_failed_start(self, device: str, reason: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            raise NasbenchError(f"Worker processes on {device} do not start: {reason}.")

    def _may_hand_out(self) -> bool:
        """Whether the next job may start now: one that is to be alone waits for all others, and they wait for it."""
        if not self._waiting:
            return False
        busy = self._busy
        if self._waiting.next_is_alone:
            return not busy
        return not any(worker.attempt and worker.attempt.alone for worker in busy)

    def _hand_out_if_idle(self, worker: Worker) -> None:
        if worker.ready and worker.attempt is None and self._may_hand_out():
            self._hand_out(worker)

    def _hand_out(self, worker: Worker) -> None:
        others = {other.arch_id for other in self._workers if other is not worker and other.arch_id}
        attempt = self._waiting.take(worker.arch_id, others)
        try:
            worker.start(attempt, next(self._numbers))
        except OSError:
            # The worker died while it had nothing to do: the job is not to blame and goes to another one.
            self._drop(worker)
            self._waiting.add(attempt, first=True)

    def _collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Wait for news from any worker, or for the next time limit, and yield what has ended."""
        signs = self._selector.select(self._seconds_to_next_limit())
        speaks: dict[Worker, bool] = {}
        for key, _ in signs:
            worker = key.data
            # What came before the end of its process is still there to be read.
            speaks[worker] = speaks.get(worker, False) or key.fd == worker.signs[0]
        for worker, can_be_read in speaks.items():
            outcome = self._take_news(worker.receive() if can_be_read else None, worker)
            if worker in self._workers:
                # Before the record is written to disk, so that the worker does not wait for that.
                self._hand_out_if_idle(worker)
            if outcome:
                yield outcome
        for worker in self._busy:
            if self._overdue(worker):
                yield self._give_up(worker, Status.TIMEOUT, self._overdue_message)

    def _take_news(self, message: Message | None, worker: Worker) -> tuple[JobIndex, Record] | None:
        if message is None:
            return self._handle_end(worker)
        if isinstance(message, WorkerFailed):
            raise NasbenchError(f"A worker process on {worker.device} could not start: {message.reason}")
        if isinstance(message, WorkerReady):
            worker.ready = True
            self._failed_starts = 0
            return None
        if not worker.answers(message):
            return None
        attempt, worker.attempt = worker.attempt, None
        assert attempt is not None
        if message.lost:
            self._drop(worker)
        if message.record.status is Status.OUT_OF_MEMORY and not attempt.alone and len(self._devices) > 1:
            self._waiting.add(Attempt(attempt.job, repeated=True, alone=True))
            return None
        return attempt.job.index, self._within_limit(message.record)

    def _handle_end(self, worker: Worker) -> tuple[JobIndex, Record] | None:
        code = worker.exit_code()
        if not worker.ready:
            self._count_failed_start(worker.device, _last_words(code))
        attempt = worker.attempt
        if attempt and not attempt.repeated and _ended_from_outside(code):
            self._drop(worker)
            again = Attempt(attempt.job, repeated=True, alone=code == UNKNOWN_EXIT_CODE)
            self._waiting.add(again, first=not again.alone)
            return None
        if attempt:
            twice = ", twice" if attempt.repeated else ""
            return self._give_up(worker, Status.CRASHED, _last_words(code) + twice)
        self._drop(worker)
        return None

    def _give_up(self, worker: Worker, status: Status, message: str) -> tuple[JobIndex, Record]:
        attempt = worker.attempt
        assert attempt is not None
        cost = JobCost(compute=time.monotonic() - worker.started_at)
        self._drop(worker)
        return attempt.job.index, Record(status, float("nan"), message, cost)

    def _drop(self, worker: Worker) -> None:
        for sign in worker.signs:
            self._selector.unregister(sign)
        worker.stop()
        self._workers.remove(worker)

    def _within_limit(self, record: Record) -> Record:
        """Hold a job to the limit that finished in time only since it shared passes with others."""
        if self._time_limit is None or record.cost.seconds <= self._time_limit or not record.cost.saved:
            return record
        return Record(Status.TIMEOUT, float("nan"), self._overdue_message, record.cost)

    @property
    def _overdue_message(self) -> str:
        return f"took longer than the limit of {self._time_limit:g} s"

    def _overdue(self, worker: Worker) -> bool:
        return self._time_limit is not None and time.monotonic() - worker.started_at > self._time_limit

    def _seconds_to_next_limit(self) -> float | None:
        busy = [worker.started_at for worker in self._busy]
        if self._time_limit is None or not busy:
            return None
        return max(0.0, min(busy) + self._time_limit - time.monotonic()) + 0.01


def _ended_from_outside(code: int | None) -> bool:
    return code == UNKNOWN_EXIT_CODE or (code is not None and code < 0 and -code not in SIGNALS_OF_FAULTS)


def _last_words(code: int | None) -> str:
    """Return how a process ended, in words."""
    if code is None:
        return "the worker process closed its connection"
    if code == UNKNOWN_EXIT_CODE:
        return "the worker process ended, as did the server that it was forked from, or its exit code was 255"
    if code == CONNECTION_CLOSED:
        return (
            "the worker process lost its connection, as where an evaluator closes files that it has not opened, or its "
            f"exit code was {CONNECTION_CLOSED}"
        )
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; perhaps the machine ran out of memory" if name == "SIGKILL" else ""
        return f"the worker process was killed by {name}{hint}"
    return f"the worker process ended with exit code {code}"


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep a new process from importing the program that started it, a user's script, which would run once more."""
    main = sys.modules["__main__"]
    hidden: dict[str, object] = {
        name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__
    }
    main.__spec__ = None
    try:
        yield
    finally:
        del main.__spec__
        main.__dict__.update(hidden)


@functools.cache
def _start_method() -> Any:
    """Fork workers from a server that has imported torch and the built-in plugins once and computed nothing.

    They start at once. Plugins of others are imported by each worker: what these do then must not reach the next one.
    """
    context = multiprocessing.get_context("forkserver")
    built_in = [plugin.path for plugin in find_plugins() if plugin.built_in]
    context.set_forkserver_preload(["torch", "numpy.random", worker_main.__module__, FORK_SERVER, *built_in])
    _start_server()
    return context


def _start_server() -> None:
    """Start the server if it is not there, with interrupts blocked, which it would only ignore after its imports.

    A terminal sends Ctrl-C to the whole command. Workers inherit this, and unblock it once they ignore interrupts.
    """
    # This process unblocks interrupts itself when it is started.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
