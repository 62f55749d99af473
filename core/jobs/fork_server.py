"""Imported once by the server that workers are forked from: it ends with the main process, and all workers with it.

Workers hold what would tell the server that the main process is gone, so that a worker that never ends would keep both
alive.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from types import TracebackType

from .parent_death import adopt_orphans, die_with_parent, end_children

PROCESS_ID = os.getpid()


def _end(*_: object) -> None:
    end_children()
    os._exit(0)


def _show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    # Who asked for a worker was interrupted before it had said which.
    if not issubclass(kind, EOFError | pickle.UnpicklingError):
        sys.__excepthook__(kind, error, trace)


def _tie_to_main_process() -> None:
    signal.signal(signal.SIGTERM, _end)
    adopt_orphans()
    die_with_parent(os.getppid(), signal.SIGTERM)


sys.excepthook = _show_error
_tie_to_main_process()
