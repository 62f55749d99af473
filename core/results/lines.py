"""Append-only files of checksummed JSON lines, each on disk before the next step begins, locked by one writer.

A process may be killed at any moment: what is lost then is at most the line that it was just writing, which has no
line feed yet and is ignored.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ResultsFileError, ResultsWriteError


class LockedLines:
    """A file of lines, opened for appending and locked.

    Args:
        path: The file; it is created if it does not exist.
        output: Name of the file that the user named, for messages.

    Raises:
        ResultsFileError: It cannot be written, or another process holds it.
    """

    def __init__(self, path: Path, output: str) -> None:
        self.path = path
        self._descriptor = _open_locked(path, output)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written to it."""
        return os.fstat(self._descriptor).st_size == 0

    def append_line(self, entry: Mapping[str, Any]) -> None:
        """Write one line; when this returns, killing the process cannot lose it.

        Raises:
            ResultsWriteError: The disk is full or gone. All earlier lines stay readable.
        """
        line = encode_line(entry)
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                os.write(self._descriptor, line[written:])
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise ResultsWriteError(
                f"Cannot write '{self.path}': {error.strerror}. Everything up to here is kept; make room and run the "
                "same command with --resume."
            ) from error

    def truncate(self, length: int = 0) -> None:
        """Keep the first ``length`` bytes."""
        os.ftruncate(self._descriptor, length)

    def abandon(self) -> None:
        """Unlock the file and leave the place as it was found."""
        self.close(remove=self.is_empty)

    def close(self, *, remove: bool) -> None:
        """Unlock the file, and delete it if nothing in it is needed."""
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


def encode_line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line that begins with its checksum."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode_lines(path: Path, content: bytes) -> list[dict[str, Any]]:
    """Return the entries of a file's content; a last line cut short by a kill is left out.

    Raises:
        ResultsFileError: A line is damaged; the message names ``path`` and the line.
    """
    lines = content.split(b"\n")[:-1]
    return [_decode_line(path, number, line) for number, line in enumerate(lines, start=1)]


def _decode_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        raise ResultsFileError(
            f"'{path}' is damaged at line {number}. It was left as it is; cut it before that line to keep what comes "
            "before."
        )
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise ResultsFileError(f"'{path}' has no valid entry at line {number}. It was left as it is.")
    return entry


def _open_locked(path: Path, output: str) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise ResultsFileError(f"Cannot write '{path}': {error.strerror}. Choose another --output.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise ResultsFileError(
                f"Another run is writing '{output}' now. Wait for it, or choose another --output."
            ) from error
        if _is_still_there(path, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Tell whether ``path`` is the file that was opened, or a run removed that one before we had the lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
