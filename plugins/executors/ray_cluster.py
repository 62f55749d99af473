"""``ray``: workers on the nodes of a Ray cluster.

An actor is a worker: it runs one job after the other in a process of its own, as a local worker does, so that a job
that crashes or hangs costs no node. Actors of a lost node are replaced on others, and their jobs are repeated. Nodes
find tables and images in their own data directory: put ``NASBENCH_DATA`` on a shared disk.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from ...core.domain import Record
from ...core.errors import NasbenchError, UsageError
from ...core.jobs.interface import JobExecutor
from ...core.jobs.messages import Job, WorkerSetup
from ...core.jobs.remote import RemoteWorker, pack_jobs, pack_setup, read_reply
from ...core.jobs.waiting import Attempt, WaitingJobs
from ...core.plan import JobIndex
from .extras import import_extra
from .lost_jobs import LostJobs
from .settings import RaySettings

GPU = "cuda"

SECONDS_TO_ANSWER = 10.0


class _Worker:
    """Runs on a node. What it raises comes back as text: exceptions of a node need not be known here."""

    def __init__(self, setup: bytes, device: str, time_limit: float | None) -> None:
        self._arguments = (setup, device, time_limit)
        self._worker: RemoteWorker | None = None

    def run(self, jobs: bytes) -> tuple[list[tuple[JobIndex, bytes]], str]:
        """Return replies, or why there are none."""
        try:
            if self._worker is None:
                self._worker = RemoteWorker(*self._arguments)
            return self._worker.run(jobs), ""
        except NasbenchError as error:
            return [], str(error)


class RayExecutor(JobExecutor):
    """Runs jobs on a Ray cluster.

    Args:
        setup: What all jobs have in common.
        devices: The first one says what workers compute on: each has a processor, or a GPU.
        time_limit: Seconds that one job may take, None for no limit.
        settings: Which cluster, and how many workers.

    Raises:
        UsageError: Ray is not installed, there is no cluster at the address, or it has no such device.
    """

    def __init__(
        self, setup: WorkerSetup, devices: Sequence[str], time_limit: float | None, settings: RaySettings
    ) -> None:
        self._ray: Any = import_extra("ray", "ray", "ray")
        self._on_gpu = devices[0].startswith(GPU)
        self._connected = _connect(self._ray, settings.address)
        self._slots = self._count_slots(settings)
        device = "cuda:0" if self._on_gpu else "cpu"
        self._arguments = (pack_setup(setup), device, time_limit)
        resources = {"num_gpus": 1, "num_cpus": 0} if self._on_gpu else {"num_cpus": 1}
        self._actor_class = self._ray.remote(max_restarts=0, **resources)(_Worker)
        self._idle: list[tuple[Any, str | None]] = []
        self._busy: dict[Any, tuple[Any, Job]] = {}
        self._waiting = WaitingJobs()
        self._lost = LostJobs()

    def submit(self, job: Job) -> None:
        """Add one job."""
        self._waiting.add(Attempt(job))

    @property
    def unfinished(self) -> int:
        """How many jobs were submitted that have not come back."""
        return len(self._waiting) + len(self._busy)

    def collect(self) -> Iterator[tuple[JobIndex, Record]]:
        """Hand out jobs, wait for a reply, and yield what came."""
        self._hand_out()
        if not self._busy:
            return
        done, _ = self._ray.wait(list(self._busy), num_returns=1)
        for reference in done:
            yield from self._take(reference)

    def close(self) -> None:
        """End all actors, and leave the cluster as it was."""
        for actor in [actor for actor, _ in self._idle] + [actor for actor, _ in self._busy.values()]:
            with contextlib.suppress(Exception):  # its node may be gone
                self._ray.kill(actor)
        if self._connected:
            self._ray.shutdown()

    def _hand_out(self) -> None:
        while len(self._waiting) and len(self._busy) < self._slots:
            actor, last = self._idle.pop(0) if self._idle else (self._actor_class.remote(*self._arguments), None)
            others = {job.arch_id for _, job in self._busy.values()} | {arch_id for _, arch_id in self._idle if arch_id}
            job = self._waiting.take(last, others).job
            self._busy[actor.run.remote(pack_jobs([job]))] = (actor, job)

    def _take(self, reference: Any) -> Iterator[tuple[JobIndex, Record]]:
        actor, job = self._busy.pop(reference)
        try:
            replies, problem = self._ray.get(reference)
        except self._ray.exceptions.RayError:
            # The actor is gone with its node, or was killed: another one does its job.
            repeated, given_up = self._lost.sort([job])
            for each in repeated:
                self._waiting.add(Attempt(each), first=True)
            yield from given_up
            return
        if problem:
            raise NasbenchError(problem)
        self._idle.append((actor, job.arch_id))
        for index, content in replies:
            yield index, read_reply(content)

    def _count_slots(self, settings: RaySettings) -> int:
        kind = "GPU" if self._on_gpu else "CPU"
        present = int(self._ray.cluster_resources().get(kind, 0))
        if not present:
            raise UsageError(f"The Ray cluster at '{settings.address}' has no {kind}: choose another --device.")
        return settings.workers or present


def _connect(ray: Any, address: str) -> bool:
    """Connect to a cluster; return whether that was needed.

    Raises:
        UsageError: There is none.
    """
    if ray.is_initialized():
        return False
    try:
        _check_answers(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"There is no Ray cluster at '{address}': {error}. Start one with 'ray start --head', or name its address "
            "with --executor ray:address=HOST:PORT."
        ) from error
    return True


def _check_answers(address: str) -> None:
    """Raise OSError if nothing answers at ``HOST:PORT``; Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
