"""Try something in a child process, and say how it ended, what it took and what it returned."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from nasbench_toolkit.core.errors import NasbenchError

REFUSED = "refused"
DONE = "done"


@dataclass(frozen=True)
class Trial:
    """How something ended.

    Attributes:
        outcome: ``done``, ``refused``, ``HUNG``, ``CRASHED`` or ``RAISED``.
        text: What it returned, or the message.
        seconds: How long it took.
        megabytes: The most memory that the child, or a process that it started, had.
    """

    outcome: str
    text: str
    seconds: float
    megabytes: float


def attempt(action: Callable[[], str], limit: float) -> Trial:
    """Run ``action`` in a child process, for at most ``limit`` seconds."""
    start = time.monotonic()
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        os.setpgid(0, 0)
        _answer(action, theirs)
    os.close(theirs)
    content = _read_all(ours, start + limit)
    if content is None:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - start
    if content is None:
        return Trial("HUNG", f"no answer in {limit:g} s", seconds, 0.0)
    if not content:
        return Trial("CRASHED", f"wait status {status}", seconds, 0.0)
    outcome, text, megabytes = json.loads(content)
    return Trial(outcome, text, seconds, megabytes)


def _answer(action: Callable[[], str], descriptor: int) -> None:
    """Send what the action returns or raises, and end this process."""
    try:
        outcome, text = DONE, action()
    except NasbenchError as error:
        outcome, text = REFUSED, str(error)
    except BaseException as error:
        outcome, text = "RAISED", f"{type(error).__name__}: {error}"
    with os.fdopen(descriptor, "w") as stream:
        stream.write(json.dumps([outcome, text, _peak()]))
    os._exit(0)


def _peak() -> float:
    from nasbench_toolkit.core.hdf5 import reading

    reading.end_reader()
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1000


def _read_all(descriptor: int, deadline: float) -> bytes | None:
    """Return what a pipe holds until its end, None if that does not come in time."""
    content = b""
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        while True:
            readable, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                return None
            piece = stream.read(1 << 16)
            if not piece:
                return content
            content += piece
