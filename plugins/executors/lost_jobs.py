"""What becomes of jobs whose machine is lost: they are repeated, but not for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ...core.domain import Record, Status
from ...core.jobs.messages import Job
from ...core.plan import JobIndex

# A job that takes its machine down each time must not take down all of them.
MAX_LOSSES = 3


class LostJobs:
    """Counts how often each job was lost with its machine."""

    def __init__(self) -> None:
        self._losses: Counter[JobIndex] = Counter()

    def sort(self, jobs: Iterable[Job]) -> tuple[list[Job], list[tuple[JobIndex, Record]]]:
        """Return which of the jobs that were lost are to be repeated, and the records of those that are given up."""
        repeated: list[Job] = []
        given_up: list[tuple[JobIndex, Record]] = []
        for job in jobs:
            self._losses[job.index] += 1
            if self._losses[job.index] < MAX_LOSSES:
                repeated.append(job)
            else:
                message = f"the machine that did it was lost, {MAX_LOSSES} times"
                given_up.append((job.index, Record(Status.CRASHED, float("nan"), message)))
        return repeated, given_up
