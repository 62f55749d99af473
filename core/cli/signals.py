"""Signals that end a command: each unwinds it, so that nothing temporary is left, and decides its exit code."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


class HeededSignals:
    """Ctrl-C, a termination and the end of the terminal raise KeyboardInterrupt during the ``with`` block.

    What this process was told to ignore, as ``nohup`` does, stays ignored; outside the main thread nothing changes.

    Attributes:
        received: Number of the last signal, 0 if none came.
    """

    def __init__(self) -> None:
        self.received = 0
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in _ENDING:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

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
