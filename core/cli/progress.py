"""Progress bars on standard error; nothing at all where that is not a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..domain import Record

T = TypeVar("T")


class JobProgress:
    """Shows jobs done, of how many, failures, and the time left; use it as a context manager.

    Attributes:
        done: Number of finished jobs.
        total: Number of all jobs.
    """

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self._failures = 0
        self._progress = _make_progress()
        self._task = self._progress.add_task("jobs", total=None)

    def __enter__(self) -> JobProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, done: int, total: int) -> None:
        """Take the number of jobs that were done before, and of all jobs."""
        self.done, self.total = done, total
        self._progress.reset(self._task, total=total, completed=done)

    def advance(self, record: Record) -> None:
        """Count one more job."""
        self.done += 1
        self._failures += record.status != "ok"
        description = f"jobs, {self._failures} failed" if self._failures else "jobs"
        self._progress.update(self._task, completed=self.done, description=description)


def track(items: Iterable[T], total: int, noun: str) -> Iterator[T]:
    """Yield ``items``, counting them as ``noun``."""
    with _make_progress() as progress:
        yield from progress.track(items, total=total, description=noun)


def _make_progress() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
