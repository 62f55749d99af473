"""A plugin of the benchmarks: workers that only sleep, and workers that are each tied to one core (Linux)."""

from __future__ import annotations

import heapq
import multiprocessing
import os
import random
import selectors
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from ..core.descriptions import ExecutorInfo
from ..core.domain import Record, Status
from ..core.hookspecs import hookimpl
from ..core.jobs.executor import ProcessExecutor, Worker
from ..core.jobs.messages import WorkerSetup
from ..core.jobs.replies import Reply, encode
from ..core.settings import Settings, setting


@dataclass(frozen=True)
class SimulatedSettings(Settings):
    """Settings of ``simulated``."""

    workers: int = setting(1, "Simulated workers.", minimum=1)
    milliseconds: float = setting(0.0, "How long each sleeps over a job.", minimum=0)
    points: int = setting(0, "Points of the curve of each record; gennas-combo has 140 in all its curves.", minimum=0)


class SimulatedWorker(Worker):
    """One end of a connection to the process that simulates all workers."""

    def __init__(self, connection: Connection, fleet: Any) -> None:
        self.device = "cpu"
        self.ready = True
        self.attempt = None
        self.arch_id = None
        self.number = 0
        self.started_at = 0.0
        self.connection = connection
        self.process = fleet
        self.signs = (connection.fileno(),)  # type: ignore[assignment]

    def stop(self) -> None:
        """Hang up; the process ends when all have."""
        self.connection.close()


class SimulatedExecutor(ProcessExecutor):
    """Hands out jobs and takes replies as the local executor does; no job is computed, and all scores are 0."""

    def __init__(
        self, setup: WorkerSetup, devices: Sequence[str], time_limit: float | None, settings: SimulatedSettings
    ) -> None:
        super().__init__(setup, devices, time_limit)
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(settings.workers)]
        theirs = [connection for _, connection in pipes]
        fleet = context.Process(target=simulate, args=(theirs, settings), daemon=True)
        fleet.start()
        for connection in theirs:
            connection.close()
        self._workers = [SimulatedWorker(connection, fleet) for connection, _ in pipes]
        for worker in self._workers:
            self._selector.register(worker.signs[0], selectors.EVENT_READ, worker)

    def _start_workers(self) -> None:
        """All have started."""


def simulate(connections: Sequence[Connection], settings: SimulatedSettings) -> None:
    """Answer each job on its connection after some time, until all are closed."""
    # Of the selectors, this one's time limits are not rounded up to milliseconds.
    selector = selectors.SelectSelector()
    for each in connections:
        selector.register(each, selectors.EVENT_READ)
    values = random.Random(0).choices([number / 7 for number in range(1, 1000)], k=settings.points)
    record = Record(Status.OK, 0.0, curves={"loss": tuple(values)} if values else {})
    due: list[tuple[float, int, Connection]] = []
    while selector.get_map():
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        for key, _ in selector.select(wait):
            sender: Any = key.fileobj
            try:
                number, _ = sender.recv()
            except EOFError:
                selector.unregister(sender)
                continue
            heapq.heappush(due, (time.monotonic() + settings.milliseconds / 1000, number, sender))
        while due and due[0][0] <= time.monotonic():
            _, number, sender = heapq.heappop(due)
            sender.send_bytes(encode(Reply(number, os.getpid(), record)))


class PinnedExecutor(ProcessExecutor):
    """The local executor, with each worker tied to one core."""

    def _start_workers(self) -> None:
        super()._start_workers()
        cores = sorted(os.sched_getaffinity(0))
        for number, worker in enumerate(self._workers):
            assert worker.process.pid is not None
            os.sched_setaffinity(worker.process.pid, {cores[number % len(cores)]})


@hookimpl
def nasbench_executors() -> Iterator[ExecutorInfo]:
    """Yield the executors of the benchmarks."""
    yield ExecutorInfo(
        name="simulated",
        summary="Workers that sleep.",
        source="this toolkit",
        factory=SimulatedExecutor,
        settings=SimulatedSettings,
    )
    yield ExecutorInfo(
        name="pinned",
        summary="Worker processes of this machine, each tied to one core.",
        source="this toolkit",
        factory=PinnedExecutor,
    )
