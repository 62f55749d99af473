"""Progress on standard error: bars in a terminal, elsewhere a line a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

import click

from ..domain import Status
from ..plain_text import printable_lines

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from ..domain import Record
    from ..search.history import Step
    from ..search.trajectory import Epoch
    from ..task_search.scoring import TaskOutcome

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 60.0


class Bar:
    """A progress bar of one task; use it as a context manager.

    Args:
        description: What is shown beside the bar.
        total: How much there is to do, None while it is not known.

    Attributes:
        noun: What is counted.
        done: What is done.
        total: How much there is to do, 0 while it is not known.
    """

    noun: ClassVar[str]

    def __init__(self, description: str, total: int | None) -> None:
        self.done, self.total = 0, total or 0
        self._description = description
        self._progress = _make_progress()
        self._task = self._progress.add_task(description, total=total)
        self._lines = ProgressLines() if self._progress.disable else None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _begin_at(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._progress.reset(self._task, total=total, completed=done)
        if self._lines:
            self._lines.begin_at(done)

    def _show(self, done: int, description: str) -> None:
        self.done, self._description = done, description
        self._progress.update(self._task, completed=done, description=description)
        if self._lines:
            self._lines.tell(done, self.total, f"{self.noun}, {description}")


class ProgressLines:
    """Says once a minute how far a long command is, for log files."""

    def __init__(self) -> None:
        self._started = self._told = time.monotonic()
        self._done_before = 0

    def begin_at(self, done: int) -> None:
        """Take what was done before, which says nothing of the time left."""
        self._done_before = done
        self._started = time.monotonic()

    def tell(self, done: int, total: int, what: str) -> None:
        """Print a line if the last one is a minute old."""
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN_LINES:
            return
        self._told = now
        seconds = (now - self._started) * (total - done) / max(1, done - self._done_before)
        click.echo(f"{done} of {total} {what}, about {_duration(seconds)} left", err=True)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


class JobProgress(Bar):
    """Shows jobs done, of how many, failures, and the time left."""

    noun = "jobs"

    def __init__(self, *, shown: bool = True) -> None:
        super().__init__("jobs", None)
        if not shown:
            self._progress.disable, self._lines = True, None
        self._failures = 0

    def start(self, done: int, total: int) -> None:
        """Take the number of jobs that were done before, and of all jobs."""
        self._begin_at(done, total)

    def advance(self, record: Record) -> None:
        """Count one more job."""
        self._failures += record.status is not Status.OK
        self._show(self.done + 1, f"{self._failures} failed" if self._failures else "no failures")


class SearchProgress(Bar):
    """Shows evaluations done, of how many, the best score so far, and the time left."""

    noun = "evaluations"

    def __init__(self, total: int) -> None:
        super().__init__("searching", total)
        self._best_fitness = -math.inf
        self._refused = 0
        self._best = "no score yet"

    def advance(self, step: Step, done: int) -> None:
        """Take one more step and the number of evaluations that are done."""
        self._refused += step.refused
        refused = f", {self._refused} refused" if self._refused else ""
        if step.fitness is not None and step.fitness > self._best_fitness:
            self._best_fitness = step.fitness
            self._best = f"best {step.record.score:.6g}"
        self._show(done, self._best + refused)


class SupernetProgress(Bar):
    """Shows epochs of a supernet's training, of how many, the loss, what was derived last, and the time left."""

    noun = "epochs"

    def __init__(self, total: int) -> None:
        super().__init__("training a supernet", total)
        self._derived = ""

    def take_epoch(self, epoch: Epoch) -> None:
        """Take the next epoch."""
        loss = epoch.figures.get("train_loss")
        parts = [f"loss {loss:.4g}"] if loss is not None else []
        self._derived = ", ".join([*parts, f"{epoch.skips} skips", epoch.architecture])

    def advance(self, _step: Step, done: int) -> None:
        """Count its step, the number of epochs that are done."""
        self._show(done, self._derived)


class TaskProgress(Bar):
    """Shows tasks done, of how many, the best fitness so far, and the time left."""

    noun = "tasks"

    def __init__(self, total: int) -> None:
        super().__init__("no fitness yet", total)
        self._best = -math.inf

    def advance(self, outcome: TaskOutcome) -> None:
        """Take the outcome of one more task."""
        if outcome.fitness is not None and outcome.fitness > self._best:
            self._best = outcome.fitness
            self._description = f"best fitness {self._best:.4g}"
        self._show(self.done + 1, self._description)


def track(items: Iterable[T], total: int, noun: str) -> Iterator[T]:
    """Yield ``items``, counting them as ``noun``."""
    with _make_progress() as progress:
        yield from progress.track(items, total=total, description=noun)


@contextmanager
def track_steps(description: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes what is done and what there is in all, in any unit."""
    with _make_progress(count=False) as progress:
        yield _reporter(progress, printable_lines(description))


@contextmanager
def track_bytes(description: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes the bytes that are done and those there are in all."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with _make_progress(DownloadColumn(), TransferSpeedColumn(), count=False) as progress:
        yield _reporter(progress, description)


def _reporter(progress: Progress, description: str) -> Callable[[int, int], None]:
    task = progress.add_task(description, total=None)

    def report(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    return report


def _make_progress(*columns: ProgressColumn, count: bool = True) -> Progress:
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
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *((MofNCompleteColumn(),) if count else ()),
        *columns,
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
