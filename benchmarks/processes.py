"""Runs a command and measures what it and all that comes from it take on the processor (Linux)."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import click

from ..core.jobs.parent_death import adopt_orphans, has_children


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        processor: Processor seconds of all its processes.
        wall: Seconds by the clock, from start to end.
        memory: Largest memory of one of its processes, in bytes.
    """

    processor: float
    wall: float
    memory: int

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.processor + other.processor, self.wall + other.wall, max(self.memory, other.memory))


NO_USAGE = Usage(0.0, 0.0, 0)


def measure_command(command: Sequence[str], stdin: str = "") -> Usage:
    """Run a command to the end of all its processes, those included that outlive it.

    Args:
        command: Program and arguments.
        stdin: What it reads.

    Raises:
        ClickException: It ended with another exit code than 0; the message is what it wrote to standard error.
    """
    # In a process that has no children of its own, so that all of them are the command's.
    watcher = [sys.executable, "-m", __name__, *command]
    done = subprocess.run(watcher, input=stdin, text=True, capture_output=True)
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{done.stderr}")
    return Usage(**json.loads(done.stdout))


def main(command: Sequence[str]) -> int:
    """Run a command, print the usage as JSON, and return the exit code."""
    # Servers of worker processes are no children of those that they serve, and come to this one.
    adopt_orphans()
    start = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    wall = time.perf_counter() - start
    while has_children():
        os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps(asdict(Usage(used.ru_utime + used.ru_stime, wall, 1024 * used.ru_maxrss))))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
