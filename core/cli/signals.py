"""Signals that end a command: each unwinds it, so that nothing temporary is left, and decides its exit code."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")

SECONDS_UNTIL_AGAIN = 0.01


class HeededSignals:
    """Ctrl-C, a termination and the end of the terminal raise KeyboardInterrupt during the ``with`` block.

    What this process was told to ignore, as ``nohup`` does, stays ignored; outside the main thread nothing changes.
    Where no exception gets out, as from a finaliser or what an import calls at its end, the signal comes again.

    Attributes:
        received: Number of the last signal, 0 if none came.
    """

    def __init__(self) -> None:
        self.received = 0
        self._former: dict[int, Any] = {}
        self._former_hook = sys.unraisablehook

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in _ENDING:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._interrupt)
            sys.unraisablehook = self._take_unraisable
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._former_hook

    @property
    def terminated(self) -> bool:
        """Whether another signal than Ctrl-C came."""
        return self.received not in (0, signal.SIGINT)

    @property
    def exit_code(self) -> int:
        """Exit code of a command that ended by the signal."""
        return 128 + (self.received or signal.SIGINT)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        raise KeyboardInterrupt

    def _take_unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        if not (self.received and issubclass(unraisable.exc_type, KeyboardInterrupt)):
            self._former_hook(unraisable)
            return
        again = threading.Timer(SECONDS_UNTIL_AGAIN, _thread.interrupt_main, [self.received])
        again.daemon = True
        again.start()
