"""Writes files whole: whoever reads one finds the old or the new one, never a part."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ResultsFileError, ResultsWriteError


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
        ResultsWriteError: It cannot be written; what was at ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ResultsWriteError(f"Cannot write '{path}': {error.strerror}. {remedy}") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_target(path: Path) -> None:
    """Check that a file could be written at ``path``. Raises ResultsFileError if not."""
    if path.is_dir():
        raise ResultsFileError(f"'{path}' is a directory. Name a file, such as '{path / 'results.h5'}'.")
    if not path.parent.is_dir():
        raise ResultsFileError(f"The directory '{path.parent}' does not exist. Create it or choose another --output.")
    if not os.access(path.parent, os.W_OK):
        raise ResultsFileError(f"The directory '{path.parent}' is not writable. Choose another --output.")
