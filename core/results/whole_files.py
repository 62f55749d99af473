"""Writes files whole: whoever reads one finds the old or the new one, never a part, also after a power cut.

A symbolic link stays: what it leads to is written. Devices, pipes and sockets are refused, which a file put in their
place would destroy.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..errors import ResultsFileError, ResultsWriteError
from ..regular_files import kind_of


def write_whole(
    path: Path,
    content: bytes,
    remedy: str = "What was computed is kept; make room and run the same command with --resume.",
) -> None:
    """Write a file beside the old one first, then in its place.

    Args:
        path: Where to.
        content: All of it.
        remedy: What to do where it cannot be written.

    Raises:
        ResultsFileError: There is something at ``path`` that is no file.
        ResultsWriteError: It cannot be written; what was at ``path`` is as it was.
    """
    target = target_of(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # left by a process that was killed
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            sync_directory(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsWriteError(f"Cannot write '{path}': {error.strerror}. {remedy}") from error


def sync_directory(path: Path) -> None:
    """Make a power cut keep which files are in a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems refuse: then there is nothing to be had.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def target_of(path: Path) -> Path:
    """Return what is written when ``path`` is: the file that a symbolic link leads to, which need not exist.

    Raises:
        ResultsFileError: It is a device, a pipe or a socket, or the link leads nowhere.
    """
    target = Path(os.path.realpath(path))
    try:
        kind = kind_of(target.lstat().st_mode)
    except FileNotFoundError:
        return target
    except OSError as error:
        raise ResultsFileError(f"'{path}' cannot be written: {error.strerror}. Choose another file.") from error
    if kind == "a symbolic link":
        raise ResultsFileError(f"'{path}' is a symbolic link that leads back to itself. Choose another file.")
    if kind not in (None, "a directory"):
        raise ResultsFileError(f"'{path}' is {kind}, which a file would take the place of. Choose another file.")
    return target


def check_target(path: Path) -> None:
    """Check that a file could be written at ``path``. Raises ResultsFileError if not."""
    target = target_of(path)
    if target.is_dir():
        raise ResultsFileError(f"'{path}' is a directory. Name a file in it.")
    directory = target.parent if path.is_symlink() else path.parent
    if not directory.is_dir():
        raise ResultsFileError(f"The directory '{directory}' does not exist. Create it or choose another --output.")
    if not os.access(directory, os.W_OK):
        raise ResultsFileError(f"The directory '{directory}' is not writable. Choose another --output.")
