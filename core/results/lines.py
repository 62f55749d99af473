"""Append-only files of checksummed JSON lines, each written before the next step begins, locked by one writer.

A process may be killed at any moment: what is lost then is at most the line that it was just writing, which has no
line feed yet and is ignored. The power may fail at any moment: then the lines since the last sync may be lost as well.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ResultsFileError, ResultsWriteError
from ..regular_files import kind_of
from .whole_files import sync_directory

# At most a fiftieth of the time is spent on waiting for the disk: a sync of 10 ms is followed by half a second without.
SYNC_COST_FACTOR = 50.0

# A journal is emptied long before; whatever is larger was written by something else.
MAX_BYTES = 2**29

_sync = getattr(os, "fdatasync", os.fsync)


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
        self._next_sync = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written to it."""
        return self.size == 0

    @property
    def size(self) -> int:
        """Number of bytes in it."""
        return os.fstat(self._descriptor).st_size

    def append_line(self, entry: Mapping[str, Any]) -> None:
        """Write one line; when this returns, killing the process cannot lose it, nor a power cut if it was synced.

        Raises:
            ResultsWriteError: The disk is full or gone. All earlier lines stay readable.
        """
        line = encode_line(entry)
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                os.write(self._descriptor, line[written:])
            self._sync_if_due()
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise ResultsWriteError(
                f"Cannot write '{self.path}': {error.strerror}. Everything up to here is kept; make room and run the "
                "same command with --resume."
            ) from error

    def _sync_if_due(self) -> None:
        start = time.monotonic()
        if start < self._next_sync:
            return
        _sync(self._descriptor)
        end = time.monotonic()
        self._next_sync = end + SYNC_COST_FACTOR * (end - start)

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


def read_content(path: Path) -> bytes | None:
    """Return the content of a file of lines, None if there is none.

    Raises:
        ResultsFileError: It is no file but a symbolic link, a device, a pipe or a socket; or it is too large.
    """
    try:
        status = path.lstat()
        _check_file(path, status.st_mode)
        if status.st_size > MAX_BYTES:
            raise ResultsFileError(f"'{path}' has {status.st_size:,} bytes, which none that nasbench writes has.")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultsFileError(f"Cannot read '{path}': {error.strerror}.") from error


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
            descriptor = _open(path)
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


def _open(path: Path) -> int:
    """Open a file for appending, after making it if it is not there. Nothing but a file is opened."""
    try:
        _check_file(path, path.lstat().st_mode)
        is_new = False
    except FileNotFoundError:
        is_new = True
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    if is_new:
        sync_directory(path.parent)
    return descriptor


def _check_file(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise ResultsFileError(
            f"'{path}' is {kind_of(mode)}, which no file of unfinished work is. Remove it, or choose another --output."
        )


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Tell whether ``path`` is the file that was opened, or a run removed that one before we had the lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
