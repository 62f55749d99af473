"""Runs a command and measures what it and all that comes from it take on the processor (Linux)."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import click

from ..core.jobs.parent_death import adopt_orphans, has_children


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        processor: Processor seconds of all its processes.
        wall: Seconds by the clock, from start to end.
    """

    processor: float
    wall: float

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.processor + other.processor, self.wall + other.wall)


NO_USAGE = Usage(0.0, 0.0)


def measure_command(command: Sequence[str], stdin: str = "") -> Usage:
    """Run a command to its end, its processes included that outlive it.

    Args:
        command: Program and arguments.
        stdin: What it reads.

    Raises:
        ClickException: It ended with another exit code than 0; the message is what it wrote to standard error.
    """
    # Servers of worker processes are no children of those that they serve, and come to this one.
    adopt_orphans()
    before, start = _processor_seconds(), time.perf_counter()
    done = subprocess.run(command, input=stdin, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.perf_counter() - start
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{done.stderr}")
    while has_children():
        os.wait()
    return Usage(_processor_seconds() - before, wall)


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
