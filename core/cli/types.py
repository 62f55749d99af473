"""Types of options and arguments that commands share."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Any

import click

from ..seeding import MAX_SEED

MAX_COUNT = 10_000_000
"""Of architectures and evaluations: more than any table of a search space has, and than anyone waits for. Ours."""

MAX_PROCESSES = 1024
"""Of worker processes, threads, and jobs at the same time: more than a machine has cores. Ours."""

MAX_SECONDS = 1_000_000.0
"""Eleven days; operating systems refuse to wait much longer at once. Ours."""

_LONGEST_ADDITION = 40
"""Names of journals and temporary files are longer than that of the file by so many characters at most."""


class FilePath(click.Path):
    """A file or folder; refuses names that are too long for the file system, also for what is written beside it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        for text in (f"{value}", f"{value}{'x' * _LONGEST_ADDITION}"):
            try:
                os.lstat(text)
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    self.fail(f"'{value!s:.60}...' is too long a name for this file system.", param, ctx)
        return super().convert(value, param, ctx)


class NumberRange(click.FloatRange):
    """A number within limits; *not a number* is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


FILE = FilePath(path_type=Path)
SEED = click.IntRange(0, MAX_SEED)
SECONDS = NumberRange(0, MAX_SECONDS, min_open=True)
COUNT = click.IntRange(max=MAX_COUNT)
PROCESSES = click.IntRange(max=MAX_PROCESSES)
