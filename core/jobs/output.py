"""What evaluators print, up to a bound."""

from __future__ import annotations

import io
import os

# Of what one job prints.
MAX_PRINTED_BYTES = 2**16


class BoundedOutput(io.TextIOWrapper):
    """A text stream that writes to a descriptor, and after a bound nothing more, until it begins again."""

    def __init__(self, descriptor: int) -> None:
        self._bounded = _BoundedBytes(descriptor)
        super().__init__(
            self._bounded,  # type: ignore[arg-type]
            encoding="utf-8",
            errors="backslashreplace",
            write_through=True,
        )

    def begin_again(self) -> None:
        """Count from zero, for the next job."""
        self._bounded.left = MAX_PRINTED_BYTES


class _BoundedBytes(io.BufferedIOBase):
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.left = MAX_PRINTED_BYTES

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, content: object) -> int:
        """Take everything and write what fits."""
        data = bytes(content)  # type: ignore[call-overload]
        if self.left > 0:
            shown = data[: self.left]
            self.left -= len(shown)
            _write_all(
                self._descriptor, shown if self.left else shown + b"\n(this job prints more, which is left out)\n"
            )
        return len(data)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
