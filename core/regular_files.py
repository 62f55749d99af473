"""Opens what must be a regular file: a pipe makes its reader wait for ever, and opening a device can start things."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a symbolic link",
}

_LOCKED = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


class SpecialFileError(OSError):
    """What is at a path is no regular file.

    Attributes:
        kind: What it is, such as ``a pipe``.
    """

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"it is {kind}, not a file", str(path))
        self.kind = kind


class OpenElsewhereError(Exception):
    """Another program has a file open for writing."""


def open_regular(path: Path) -> int:
    """Open a file for reading, through symbolic links, and return its descriptor.

    Raises:
        SpecialFileError: It is a directory, a device, a pipe or a socket, which is then not opened.
        OSError: It cannot be opened.
    """
    check_regular(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if (kind := kind_of(os.fstat(descriptor).st_mode)) is not None:  # it has been replaced meanwhile
        os.close(descriptor)
        raise SpecialFileError(path, kind)
    return descriptor


def check_regular(path: Path) -> None:
    """Check that a path leads to a regular file. Raises as :func:`open_regular`."""
    if (kind := kind_of(path.stat().st_mode)) is not None:
        raise SpecialFileError(path, kind)


def kind_of(mode: int) -> str | None:
    """Say what a file of this mode is, None for a regular one."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


def check_unlocked(path: Path, descriptor: int) -> None:
    """Check that no program writes an open file: HDF5 locks what it writes, and changes it while it is open.

    The descriptor holds a lock afterwards that keeps others from writing the file, until it is closed.

    Raises:
        OpenElsewhereError: One does.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        # Not every file system has locks; then nobody holds one.
        if error.errno in _LOCKED:
            raise OpenElsewhereError(f"'{path}' is open in another program, which may be writing it") from error
