"""Where the ``nasbench`` program starts: Ctrl-C ends it without a traceback from here on, while it still imports."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType

INTERRUPTED_EXIT_CODE = 130

# What is merely installed changes nothing: torch would import every package that calls itself a backend of it, and fail
# where the metadata of any package cannot be read.
os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")


def _end(number: int, frame: FrameType | None) -> None:
    # Nothing was begun, so that nothing is left; an exception could be caught, or printed, by what is being imported.
    os._exit(INTERRUPTED_EXIT_CODE)


# Only the program imports this module, never a library. A shell lets what runs in the background ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, _end)


def _leave_the_output_alone() -> None:
    """Send to standard error what functions that plugins registered with ``atexit`` print."""
    with contextlib.suppress(OSError):
        os.dup2(2, 1)


def _end_in_spite_of_threads() -> None:
    """End without waiting for threads that plugins started and that may never end."""
    import threading

    if all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        return
    from multiprocessing import util

    ended = sys.exc_info()[1]
    code = ended.code if isinstance(ended, SystemExit) else 1
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    util._exit_function()  # type: ignore[attr-defined]
    os._exit(code if isinstance(code, int) else int(code is not None))


def main() -> None:
    """Run the command line."""
    from .core.cli import main as run

    try:
        run()
    finally:
        _leave_the_output_alone()
        _end_in_spite_of_threads()
