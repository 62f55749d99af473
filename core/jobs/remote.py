"""Jobs on another machine: they travel as bytes, and are done there by a worker process as they would be here."""

from __future__ import annotations

import dataclasses
import math
import pickle
import socket
import time
from collections.abc import Sequence

from ..domain import Record
from ..errors import NasbenchError
from ..plan import JobIndex
from ..plugin_manager import PluginManager, installed_plugins
from .executor import ProcessExecutor
from .messages import Job, WorkerSetup
from .replies import Reply, decode, encode


def pack_setup(setup: WorkerSetup) -> bytes:
    """Return what all jobs have in common, for another machine."""
    return pickle.dumps((setup.distributions, pickle.dumps(setup)))


def pack_jobs(jobs: Sequence[Job]) -> bytes:
    """Return jobs for another machine."""
    return pickle.dumps(tuple(jobs))


def read_reply(content: bytes) -> Record:
    """Return the record of a reply; it is JSON, so that reading it runs no code of another machine.

    Raises:
        ValueError: It is none.
    """
    message = decode(content)
    if not isinstance(message, Reply):
        raise ValueError("no reply to a job")
    return message.record


class RemoteWorker:
    """Does jobs on the machine that it is made on, one at a time, in a worker process of its own.

    What crashes or hangs costs that process only, and has the status that it would have in a local run.

    Args:
        setup: From :func:`pack_setup`.
        device: Where to compute.
        time_limit: Seconds that one job may take, None for no limit.

    Raises:
        NasbenchError: A distribution is missing here, or has another version; the message names machine and remedy.
    """

    def __init__(self, setup: bytes, device: str, time_limit: float | None) -> None:
        self._setup = _unpack_setup(setup)
        self._executor = ProcessExecutor(self._setup, (device,), time_limit)

    def run(self, jobs: bytes, seconds: float = math.inf) -> list[tuple[JobIndex, bytes]]:
        """Do some jobs and return their replies, for :func:`read_reply`.

        Args:
            jobs: From :func:`pack_jobs`.
            seconds: How long this may take: but for the first one, no job is begun for which too little is left if it
                takes as long as the longest so far.

        Raises:
            NasbenchError: Worker processes cannot start.
        """
        replies: list[tuple[JobIndex, bytes]] = []
        end, longest = time.monotonic() + seconds, 0.0
        for job in pickle.loads(jobs):
            began = time.monotonic()
            if replies and began + longest > end:
                break
            replies += [(index, encode(Reply(0, 0, record))) for index, record in self._executor.run([job])]
            longest = max(longest, time.monotonic() - began)
        return replies

    def close(self) -> None:
        """End the worker process."""
        self._executor.close()


def _unpack_setup(content: bytes) -> WorkerSetup:
    distributions, packed = pickle.loads(content)
    try:
        setup: WorkerSetup = pickle.loads(packed)
    except (ImportError, AttributeError) as error:
        raise NasbenchError(
            f"The machine '{socket.gethostname()}' cannot do these jobs: {error}. They need "
            f"{', '.join(distributions)}: install the same distributions, in the same versions, on all machines."
        ) from error
    _check_versions(setup, installed_plugins())
    # Folders of the machine that the jobs come from may be others here, or shared by many machines.
    return dataclasses.replace(setup, store=None)


def _check_versions(setup: WorkerSetup, plugins: PluginManager) -> None:
    """Raise NasbenchError if a plugin that the jobs need is not here, or is another version."""
    machine = f"The machine '{socket.gethostname()}'"
    for name, wanted, here in _versions(setup, plugins):
        if wanted and here != wanted:
            raise NasbenchError(
                f"{machine} has {here or 'nothing'} for '{name}', and the run uses {wanted}: install the same version "
                "on all machines."
            )


def _versions(setup: WorkerSetup, plugins: PluginManager) -> list[tuple[str, str, str]]:
    """Return what jobs need, the version that they need, and the one that is here."""
    spaces, datasets, evaluators = plugins.search_spaces(), plugins.datasets(), plugins.evaluators()
    versions = [
        (setup.space, setup.space_version, spaces[setup.space].version if setup.space in spaces else ""),
        (setup.dataset, setup.dataset_version, datasets[setup.dataset].version if setup.dataset in datasets else ""),
    ]
    for spec in setup.evaluators:
        name = spec.header.name
        here = evaluators[name].distribution if name in evaluators else ""
        versions.append((name, spec.header.distribution, here))
    return versions
