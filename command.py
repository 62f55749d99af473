"""Where the ``nasbench`` program starts: Ctrl-C ends it without a traceback from here on, while it still imports."""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED_EXIT_CODE = 130


def _end(number: int, frame: FrameType | None) -> None:
    # Nothing was begun, so that nothing is left; an exception could be caught, or printed, by what is being imported.
    os._exit(INTERRUPTED_EXIT_CODE)


# Only the program imports this module, never a library. A shell lets what runs in the background ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, _end)


def main() -> None:
    """Run the command line."""
    from .core.cli import main as run

    run()
