"""A file that says how far it has been read."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.errors import DataError
from ...core.interfaces import Progress

_SECONDS_BETWEEN_REPORTS = 0.05
_BUFFER_BYTES = 1 << 20


@contextmanager
def open_measured(path: Path, progress: Progress) -> Iterator[io.BufferedReader[_MeasuredFile]]:
    """Open a file for the ``with`` block; reading it reports bytes read and bytes in all.

    Raises:
        DataError: It cannot be opened.
    """
    try:
        file = _MeasuredFile(path, progress)
    except OSError as error:
        raise DataError(f"Cannot open '{path}': {error.strerror}. Check the path and its permissions.") from error
    with io.BufferedReader(file, _BUFFER_BYTES) as buffered:
        yield buffered


class _MeasuredFile(io.FileIO):
    def __init__(self, path: Path, progress: Progress) -> None:
        super().__init__(path)
        self._progress = progress
        self._total = path.stat().st_size
        self._next_report = 0.0

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        count = super().readinto(target) or 0
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _SECONDS_BETWEEN_REPORTS
            self._progress(self.tell(), self._total)
        return count
