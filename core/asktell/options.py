"""How to run a search, and checks that all requests for one share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..jobs.executor import ProcessExecutor
from ..jobs.interface import StartExecutor


@dataclass(frozen=True)
class SearchOptions:
    """How to run a search; nothing here changes its proposals.

    Attributes:
        output: Where the result is written.
        devices: Device of each worker process; no more are started than there are jobs at the same time.
        threads: Math threads of each worker. More than one may change the last digits of a score.
        time_limit: Seconds that one job may take, None for no limit.
        resume: Continue the search if its file exists.
        overwrite: Replace what exists.
        start_executor: Starts what runs jobs: worker processes of this machine, unless the user names another one.
    """

    output: Path
    devices: tuple[str, ...]
    threads: int = 1
    time_limit: float | None = None
    resume: bool = False
    overwrite: bool = False
    start_executor: StartExecutor = ProcessExecutor


def check_counts(**counts: int) -> None:
    """Check counts by the names of their options.

    Raises:
        UsageError: One is below 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise UsageError(f"--{name} must be at least 1, got {count}.")
