"""The jobs that wait for a worker, by architecture: one worker takes all of an architecture, which share passes."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from dataclasses import dataclass

from .messages import Job


@dataclass(frozen=True)
class Attempt:
    """A job that waits for a worker or is with one.

    Attributes:
        job: The job.
        repeated: Whether a worker was killed from outside, or got no memory, while it did this job before.
        alone: Whether no other job may run meanwhile: it may be what ended all workers, or need their memory.
    """

    job: Job
    repeated: bool = False
    alone: bool = False


class WaitingJobs:
    """Attempts in their order, of which those of one architecture stay together."""

    def __init__(self) -> None:
        # A dict would look for its first entry among all that were taken before.
        self._by_architecture: OrderedDict[str, deque[Attempt]] = OrderedDict()
        self._alone: deque[Attempt] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def next_is_alone(self) -> bool:
        """Whether the next attempt must be alone: those come last, so that all that may run together do."""
        return bool(self._alone) and not self._by_architecture

    def add(self, attempt: Attempt, *, first: bool = False) -> None:
        """Add an attempt behind the others of its architecture, or, with them, before all others."""
        arch_id = attempt.job.arch_id
        attempts = self._alone if attempt.alone else self._by_architecture.setdefault(arch_id, deque())
        self._count += 1
        if not first:
            attempts.append(attempt)
            return
        attempts.appendleft(attempt)
        if not attempt.alone:
            self._by_architecture.move_to_end(arch_id, last=False)

    def take(self, last: str | None, others: Container[str]) -> Attempt:
        """Take the next attempt for a worker; there must be one.

        Args:
            last: The architecture that the worker had last: its passes are still there.
            others: Architectures that other workers have: they are taken only if nothing else is left.
        """
        self._count -= 1
        if not self._by_architecture:
            return self._alone.popleft()
        first = next(iter(self._by_architecture))
        free = (arch_id for arch_id in self._by_architecture if arch_id not in others)
        chosen = last if last is not None and last in self._by_architecture else next(free, first)
        attempts = self._by_architecture[chosen]
        attempt = attempts.popleft()
        if not attempts:
            del self._by_architecture[chosen]
        return attempt
