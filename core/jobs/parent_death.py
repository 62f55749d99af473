"""Ties processes together, so that none outlives the one that needs it, whatever an evaluator does.

Linux tells a process of its parent's death by a signal, and gives it the orphans among its descendants. Elsewhere a
thread looks now and then whether the parent is still there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

SECONDS_BETWEEN_LOOKS = 1.0
# A child that is killed may take so long to be gone.
SECONDS_TO_END = 5.0


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Ask for a signal when the parent dies.

    Args:
        parent: Its process id; if it is gone already, this process ends at once.
        number: The signal.
    """
    if not _set_process_option(PR_SET_PDEATHSIG, number):
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents die, where the system can do that."""
    _set_process_option(PR_SET_CHILD_SUBREAPER, 1)


def kill_descendants(process: int) -> None:
    """Kill all processes that come from one, but not that one itself; where they are not known, none."""
    for child in list(_children(process)):
        kill_descendants(child)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)


def has_children() -> bool:
    """Whether this process has children, also ones that have ended and that nobody waited for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def end_children() -> None:
    """Kill what comes from this process until nothing is left, and wait for it; some seconds at most."""
    deadline = time.monotonic() + SECONDS_TO_END
    while has_children() and time.monotonic() < deadline:
        kill_descendants(os.getpid())
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.001)


def _children(process: int) -> Iterator[int]:
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, file.read_text().split())


def _set_process_option(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
