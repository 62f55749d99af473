"""The whole run: plan in, results file out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..domain import Record, Status
from ..plan import JobIndex, Plan
from ..results.contents import Results
from ..results.run_writer import ResultsWriter
from .environment import describe_environment
from .executor import ProcessExecutor
from .interface import StartExecutor
from .messages import Job, WorkerSetup
from .stores import refuse_foreign_store, store_of


@dataclass(frozen=True)
class RunOptions:
    """How to run a plan; nothing here changes a score.

    Attributes:
        output: The results file.
        devices: Device of each worker process.
        threads: Math threads of each worker. More than one may change the last digits of a score.
        time_limit: Seconds that one job may take, None for no limit.
        resume: Continue the file if it exists.
        extended_command: With ``resume``: the plan may have more evaluators and architectures than the file; the
            command that describes it then.
        overwrite: Replace the file if it exists.
        retry_failed: With ``resume``: do jobs again that ended without a score.
        shard: ``(index, count)``, index from 0: do only every ``count``-th architecture.
        start_executor: Starts what runs jobs: worker processes of this machine, unless the user names another one.
        in_process: Run jobs one after the other in this process, on the first device and without a time limit.
    """

    output: Path
    devices: tuple[str, ...]
    threads: int = 1
    time_limit: float | None = None
    resume: bool = False
    overwrite: bool = False
    retry_failed: bool = False
    shard: tuple[int, int] = (0, 1)
    start_executor: StartExecutor = ProcessExecutor
    in_process: bool = False
    extended_command: str | None = None


def run_plan(
    plan: Plan, options: RunOptions, on_start: Callable[[int, int], None], on_record: Callable[[Record], None]
) -> Results:
    """Run what a plan still lacks and return all its results.

    Args:
        plan: What to evaluate.
        options: Where and how.
        on_start: Called once with the number of jobs that are done already and of all jobs.
        on_record: Called after each record is safe on disk.

    Raises:
        ResultsFileError: The file exists, is damaged, or was made by another plan.
        ResultsWriteError: Results cannot be written.
        NasbenchError: Workers cannot start.
    """
    environment = describe_environment(options.devices, options.threads)
    refuse_foreign_store(options.output)
    if options.extended_command is not None:
        writer = ResultsWriter.extend(options.output, plan, environment, options.extended_command)
    elif options.resume:
        writer = ResultsWriter.resume(options.output, plan, environment)
    else:
        writer = ResultsWriter.create(options.output, plan, environment, overwrite=options.overwrite)
    with writer:
        wanted = _wanted_jobs(plan, options.shard)
        jobs = [job for job in wanted if not _is_done(writer.status(job), options.retry_failed)]
        on_start(len(wanted) - len(jobs), len(wanted))
        if jobs:
            for index, record in _run(_setup(plan, options), options, _describe(plan, jobs)):
                writer.add(index, record)
                on_record(record)
        return writer.results()


def _setup(plan: Plan, options: RunOptions) -> WorkerSetup:
    return WorkerSetup.of(plan, options.threads, store_of(options.output, keep=options.resume))


def _run(setup: WorkerSetup, options: RunOptions, jobs: Iterator[Job]) -> Iterator[tuple[JobIndex, Record]]:
    if options.in_process:
        from .in_process import run_in_process

        yield from run_in_process(setup, options.devices[0], jobs)
        return
    with options.start_executor(setup, options.devices, options.time_limit) as executor:
        yield from executor.run(jobs)


def _wanted_jobs(plan: Plan, shard: tuple[int, int]) -> list[JobIndex]:
    """List jobs architecture by architecture, so that an unfinished run compares evaluators on the same ones.

    Those of one run seed come together: they share the network and what else is computed for it.
    """
    index, count = shard
    archs = range(index, len(plan.arch_ids), count)
    seeds, columns = len(plan.header.seeds), len(plan.columns)
    by_seed = [column for seed in range(seeds) for column in range(seed, columns, seeds)]
    return [(column, arch) for arch in archs for column in by_seed]


def _describe(plan: Plan, jobs: Sequence[JobIndex]) -> Iterator[Job]:
    columns = plan.columns
    for column, arch in jobs:
        spec, seed = columns[column]
        yield Job((column, arch), spec, plan.arch_ids[arch], seed)


def _is_done(status: Status, retry_failed: bool) -> bool:
    return status is Status.OK or (status is not Status.PENDING and not retry_failed)
