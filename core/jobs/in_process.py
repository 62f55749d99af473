"""Runs jobs one after the other in this process, so that a debugger can stop in an evaluator."""

from __future__ import annotations

from bdb import BdbQuit
from collections.abc import Iterable, Iterator

from ..domain import Record
from ..errors import NasbenchError
from ..global_state.state import global_state_kept
from ..plan import JobIndex
from .messages import Job, WorkerSetup
from .site import JobSite


def run_in_process(setup: WorkerSetup, device: str, jobs: Iterable[Job]) -> Iterator[tuple[JobIndex, Record]]:
    """Run jobs, yielding each record as it comes; scores are those of worker processes with as many threads.

    Nothing guards this process: an evaluator that ends it ends the run, and one that hangs is not interrupted.

    Args:
        setup: What the jobs have in common.
        device: Where to compute.
        jobs: In the order in which they run.

    Raises:
        KeyboardInterrupt: The user left the debugger.
        NasbenchError: An evaluator changed what cannot be put back in this process.
    """
    with global_state_kept():
        site = JobSite(setup, device, passed_on=(KeyboardInterrupt, BdbQuit), shared_process=True)
        try:
            for job in jobs:
                record, lost = site.run(job)
                yield job.index, record
                if lost:
                    raise NasbenchError(
                        f"'{job.evaluator.header.label}' changed what cannot be put back in this process: "
                        f"{', '.join(lost)}. Its score is stored. Run the command again with --resume, and without "
                        "--in-process."
                    )
        except BdbQuit:
            raise KeyboardInterrupt from None
