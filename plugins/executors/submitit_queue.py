"""``submitit``: batches of jobs through a queue, such as SLURM's.

A batch is one task of the queue: it runs its jobs one after the other in a worker process of its machine, and its
replies come back together when it ends, through the folder on a shared disk. It ends before the queue would end it:
what it has not begun by then goes into another one. A lost batch is repeated in halves, since one of its jobs may be
what took its machine down.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.domain import Record
from ...core.errors import NasbenchError, UsageError
from ...core.jobs.interface import JobExecutor
from ...core.jobs.messages import Job, WorkerSetup
from ...core.jobs.remote import RemoteWorker, pack_jobs, pack_setup, read_reply
from ...core.jobs.waiting import Attempt, WaitingJobs
from ...core.plan import JobIndex
from .extras import import_extra
from .lost_jobs import MAX_LOSSES, LostJobs
from .settings import SubmititSettings

# What is left of a batch's time for what comes before its first job and after its last one: SLURM tells a task of its
# end 90 s before.
SECONDS_TO_END = 120.0

# So many losses beyond MAX_LOSSES for each worker, before any batch has come back, are the queue's fault and not a
# job's. Ours.
FURTHER_LOSSES = 5

# How often the queue is asked: SLURM's is shared with others.
SECONDS_BETWEEN_LOOKS = {"slurm": 5.0, "local": 0.2}


def run_batch(
    setup: bytes, device: str, time_limit: float | None, seconds: float, jobs: bytes
) -> tuple[list[Any], str]:
    """Do what of a batch can be done in so many seconds on the machine that the queue chose.

    Returns:
        Replies, and why there are none.
    """
    try:
        worker = RemoteWorker(setup, device, time_limit)
        with contextlib.closing(worker):
            return worker.run(jobs, seconds), ""
    except NasbenchError as error:
        return [], str(error)


class SubmititExecutor(JobExecutor):
    """Runs jobs through a queue.

    Args:
        setup: What all jobs have in common.
        devices: The first one says what a batch computes on.
        time_limit: Seconds that one job may take, None for no limit.
        settings: Which queue, and how much at the same time.

    Raises:
        UsageError: submitit is not installed, or there is no such queue on this machine.
    """

    def __init__(
        self, setup: WorkerSetup, devices: Sequence[str], time_limit: float | None, settings: SubmititSettings
    ) -> None:
        submitit = import_extra("submitit", "submitit", "slurm")
        self._settings = settings
        gpus = 1 if devices[0].startswith("cuda") else 0
        seconds = 60.0 * settings.minutes - SECONDS_TO_END
        self._arguments = (pack_setup(setup), "cuda:0" if gpus else "cpu", time_limit, seconds)
        try:
            self._queue: Any = submitit.AutoExecutor(folder=Path(settings.folder), cluster=settings.cluster)
        except RuntimeError as error:
            raise UsageError(f"The queue '{settings.cluster}' does not work on this machine: {error}.") from error
        self._queue.update_parameters(
            timeout_min=settings.minutes, cpus_per_task=1, tasks_per_node=1, gpus_per_node=gpus, name="nasbench"
        )
        if settings.partition:
            self._queue.update_parameters(slurm_partition=settings.partition)
        self._running: list[tuple[Any, Sequence[Job]]] = []
        self._waiting = WaitingJobs()
        self._again: deque[Sequence[Job]] = deque()
        self._lost = LostJobs()
        self._lost_batches = 0
        self._has_brought = False

    def submit(self, job: Job) -> None:
        """Add one job."""
        self._waiting.add(Attempt(job))

    @property
    def unfinished(self) -> int:
        """How many jobs were submitted that have not come back."""
        return len(self._waiting) + sum(map(len, self._again)) + sum(len(jobs) for _, jobs in self._running)

    def collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Fill the queue, look what has ended, and yield what it brought."""
        self._fill()
        ended = [batch for batch in self._running if batch[0].done()]
        if not ended:
            time.sleep(SECONDS_BETWEEN_LOOKS[self._settings.cluster])
            return
        self._running = [batch for batch in self._running if batch not in ended]
        for task, jobs in ended:
            yield from self._take(task, jobs)

    def close(self) -> None:
        """Cancel what is in the queue."""
        for task, _ in self._running:
            with contextlib.suppress(Exception):  # it may have ended just now
                task.cancel()

    def _fill(self) -> None:
        while (self._again or len(self._waiting)) and len(self._running) < self._settings.workers:
            jobs = self._again.popleft() if self._again else self._take_batch()
            try:
                task = self._queue.submit(run_batch, *self._arguments, pack_jobs(jobs))
            except Exception as error:
                raise NasbenchError(f"The queue '{self._settings.cluster}' refuses a batch: {error}.") from error
            self._running.append((task, jobs))

    def _take_batch(self) -> list[Job]:
        size = self._settings.batch or -(-len(self._waiting) // (self._settings.workers - len(self._running)))
        jobs = [self._waiting.take(None, ()).job]
        while len(self._waiting) and len(jobs) < size:
            jobs.append(self._waiting.take(jobs[-1].arch_id, ()).job)
        return jobs

    def _take(self, task: Any, jobs: Sequence[Job]) -> Iterator[tuple[JobIndex, Record]]:
        try:
            replies, problem = task.result()
        except Exception:  # the batch was lost, whatever the library says of it
            self._count_loss()
            yield from self._repeat(jobs)
            return
        if problem:
            raise NasbenchError(problem)
        self._has_brought = True
        brought = {index for index, _ in replies}
        for job in reversed(jobs):
            if job.index not in brought:
                self._waiting.add(Attempt(job), first=True)
        for index, content in replies:
            yield index, read_reply(content)

    def _count_loss(self) -> None:
        """Give up where every batch is lost, before each of many jobs was tried by itself."""
        self._lost_batches += 1
        if not self._has_brought and self._lost_batches >= FURTHER_LOSSES + MAX_LOSSES * self._settings.workers:
            raise NasbenchError(
                f"The queue lost {self._lost_batches} batches, and none has come back. What happened to them is in "
                f"'{self._settings.folder}'; the run can then be resumed."
            )

    def _repeat(self, jobs: Sequence[Job]) -> list[tuple[JobIndex, Record]]:
        """Repeat a lost batch, and return the record of a job that was lost alone too often."""
        middle = len(jobs) // 2
        if middle:
            self._again += [jobs[:middle], jobs[middle:]]
            return []
        repeated, given_up = self._lost.sort(jobs)
        self._again += [repeated] if repeated else []
        return given_up
