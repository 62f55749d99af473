"""Hidden folders in which imports work, and how those of an import that was killed are found and put right.

A folder that is in use is locked (``flock``) by its process, whose end releases the lock whatever ends it. The next
import takes away folders without a lock. A lock on the data directory itself keeps two imports from meeting between
the making and the locking of a folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NEW, _REPLACED = "importing", "replaced"
_UNFINISHED = re.compile(rf"\.({_NEW}|{_REPLACED})\.(?P<name>.+)\.[a-z0-9_]{{8}}")


@contextmanager
def working_folder(home: Path, name: str) -> Iterator[Path]:
    """Make a folder for an import and delete it at the end; what earlier imports left behind goes first.

    Args:
        home: The data directory, which exists.
        name: What is imported.

    Raises:
        OSError: It cannot be made.
    """
    with _locked(home, wait=True):
        _tidy(home)
        folder = Path(tempfile.mkdtemp(prefix=f".{_NEW}.{name}.", dir=home))
        lock = _Lock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def put_in_place(folder: Path, target: Path) -> None:
    """Give a finished folder its name; what had this name before is deleted.

    Killed in between, what was there before is put back by the next import.

    Raises:
        OSError: It cannot be renamed.
    """
    folder.chmod(0o755)
    with _locked(target.parent, wait=True):
        if not target.exists():
            folder.rename(target)
            return
        grave = Path(tempfile.mkdtemp(prefix=f".{_REPLACED}.{target.name}.", dir=target.parent))
        target.rename(grave / target.name)
        folder.rename(target)
    shutil.rmtree(grave, ignore_errors=True)


def _tidy(home: Path) -> None:
    """Take away what was left behind by imports that have ended."""
    for folder in home.iterdir():
        match = _UNFINISHED.fullmatch(folder.name)
        if match is None or not folder.is_dir() or folder.is_symlink():
            continue
        with suppress(OSError), _locked(folder, wait=False) as is_locked:
            if not is_locked:
                continue
            former, target = folder / match["name"], home / match["name"]
            if match[1] == _REPLACED and former.is_dir() and not target.exists():
                former.rename(target)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[bool]:
    lock = _Lock(folder, wait=wait)
    try:
        yield lock.is_held
    finally:
        lock.release()


class _Lock:
    """A lock on a folder, which ends with the process; not held where the file system has none.

    Attributes:
        is_held: Whether this process has it.
    """

    def __init__(self, folder: Path, *, wait: bool = False) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        self.is_held = False
        with suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            self.is_held = True

    def release(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)
