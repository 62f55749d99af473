"""Notices that an evaluator closed files that are not its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FOLDERS_OF_DESCRIPTORS = (Path("/proc/self/fd"), Path("/dev/fd"))


@dataclass(frozen=True)
class OpenFiles:
    """The files that a process had open at one moment: what each descriptor stood for."""

    identities: tuple[tuple[int, tuple[int, int]], ...]

    @classmethod
    def now(cls) -> OpenFiles:
        """Note what is open; only input, output and errors where the system does not list more."""
        listed = next((folder for folder in FOLDERS_OF_DESCRIPTORS if folder.is_dir()), None)
        numbers = [int(entry.name) for entry in listed.iterdir()] if listed else [0, 1, 2]
        # The listing itself needs one, which is gone now.
        return cls(tuple((number, found) for number in numbers if (found := _identity(number)) is not None))

    def missing(self) -> tuple[str, ...]:
        """Return a name for what was open and is not, or stands for another file; nothing if all is as it was."""
        changed = any(_identity(number) != identity for number, identity in self.identities)
        return ("open files",) if changed else ()


def _identity(number: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino
