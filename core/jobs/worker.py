"""The worker process: takes jobs, sends back records, knows nothing of files."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import signal
import sys
import warnings
from collections.abc import Mapping
from multiprocessing.connection import Connection

from ..domain import Record
from ..loading.faults import end_a_copy
from ..plugin_manager import PluginWarning
from . import parent_death
from .evaluation import explain_failure
from .messages import Job, WorkerSetup
from .output import BoundedOutput
from .replies import Reply, WorkerFailed, WorkerReady, encode
from .site import JobSite

# How a worker ends whose connection an evaluator closed.
CONNECTION_CLOSED = 77


def worker_main(connection: Connection, setup: WorkerSetup, device: str, environment: Mapping[str, str]) -> None:
    """Serve jobs until the other end closes the connection.

    Args:
        connection: Receives pairs of a number and a job; sends one reply for each.
        setup: What jobs have in common.
        device: Where to compute.
        environment: Variables of the process that asks, which may have changed since the server of workers started.
    """
    os.environ.clear()
    os.environ.update(environment)
    process = os.getpid()
    _leave_the_command_alone()
    output = _print_to_errors()
    try:
        site = JobSite(setup, device)
    except BaseException as error:
        end_a_copy(process)
        _, reason, _ = explain_failure(error, "a plugin")
        connection.send_bytes(encode(WorkerFailed(reason)))
        return
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send_bytes(encode(WorkerReady()))
        try:
            while _serve(connection, site, process):
                output.begin_again()
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            # Nothing can be said any more, but with this.
            sys.exit(CONNECTION_CLOSED)


def _serve(connection: Connection, site: JobSite, process: int) -> bool:
    """Run one job; tell whether another one may follow."""
    number, job = connection.recv()
    try:
        record, lost = site.run(job)
    except BaseException as error:
        record, lost = _failed(error, job), ("what an error outside the evaluator left behind",)
    finally:
        end_a_copy(process)
    connection.send_bytes(encode(Reply(number, process, record, lost)))
    return not lost


def _failed(error: BaseException, job: Job) -> Record:
    status, message, trace = explain_failure(error, job.evaluator.header.name)
    return Record(status, math.nan, message, traceback=trace)


def _leave_the_command_alone() -> None:
    """Keep signals to the whole command from here, signals to a worker's group from there, and end with the command."""
    from . import fork_server

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What an evaluator starts is not to inherit what the server had blocked.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # An evaluator that signals its process group must not reach the main process.
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent_death.die_with_parent(fork_server.PROCESS_ID)
    parent_death.adopt_orphans()
    os.register_at_fork(after_in_child=_tie_a_copy)
    # The main process has said already which plugins were left out.
    warnings.simplefilter("ignore", PluginWarning)


def _tie_a_copy() -> None:
    parent_death.die_with_parent(os.getppid())


def _print_to_errors() -> BoundedOutput:
    """Send to standard error what evaluators print, so that standard output is the command's alone."""
    try:
        os.dup2(2, 1)
    except OSError:  # it was closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    output = BoundedOutput(1)
    sys.stdout = sys.__stdout__ = output  # type: ignore[misc]
    return output
