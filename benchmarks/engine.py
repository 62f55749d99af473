"""Measure what the engine costs a job: jobs that compute nothing, by workers of this machine and by simulated ones.

    python -m nasbench_toolkit.benchmarks.engine [--jobs 2000] [--local 1 --local 2] [--simulated 1 --simulated 64]

Simulated workers take jobs and send replies as worker processes do, but sleep in between, all of them in one process:
what is left is the cost of the main process, which hands out jobs and writes what comes back. Prints for each number of
workers and each duration of a job, from the first record to the last:

- processor milliseconds of the main process a job, which bound how many jobs all workers together can do;
- milliseconds a job by the clock, and how many of them are more than the workers' sleep alone would take. On a machine
  with few cores the processes of workers compete with the main process.
"""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from ..core.domain import Record
from ..core.jobs.choice import choose_executor
from ..core.jobs.run import RunOptions, run_plan
from ..core.plan import Plan
from ..core.planning.requests import RunRequest, make_plan
from ..core.plugin_manager import PluginManager, installed_plugins
from . import executors
from .machine import describe_machine

SIMULATED = (1, 2, 4, 16, 64)
LOCAL = (1, 2)
SLEEPS = (0.0, 10.0)
"""Milliseconds that a simulated job takes."""


@dataclass(frozen=True)
class EngineCost:
    """What the engine took, in milliseconds a job.

    Attributes:
        main: Processor time of the main process.
        clock: By the clock.
        beyond: Of those, what is more than all workers' own time.
    """

    main: float
    clock: float
    beyond: float


def with_benchmark_executors() -> PluginManager:
    """Return the installed plugins, and with them the executors of the benchmarks."""
    plugins = installed_plugins()
    if "simulated" not in plugins.executors():
        plugins.register("benchmarks", "benchmarks 0", lambda: executors)
    return plugins


def no_op_plan(jobs: int, space: str = "nasbench201") -> Plan:
    """Return a plan of so many jobs, one an architecture, of the evaluator that draws random scores."""
    return make_plan(RunRequest(space, ("random",), samples=jobs), installed_plugins())


def measure_engine(plan: Plan, executor: str, workers: int, sleep: float = 0.0) -> EngineCost:
    """Run a plan.

    Args:
        plan: Of jobs that compute nothing.
        executor: What runs them, in the words of the command line.
        workers: Number of workers.
        sleep: Milliseconds that a job of the executor takes.
    """
    clock: list[float] = []
    processor: list[float] = []

    def note(_: Record) -> None:
        clock.append(time.perf_counter())
        processor.append(time.process_time())

    start = choose_executor(executor, with_benchmark_executors()).start
    with tempfile.TemporaryDirectory() as directory:
        options = RunOptions(Path(directory, "r.h5"), ("cpu",) * workers, start_executor=start)
        run_plan(plan, options, lambda *_: None, note)
    main, passed = (1000 * (times[-1] - times[0]) / (len(times) - 1) for times in (processor, clock))
    return EngineCost(main, passed, passed - sleep / workers)


def format_row(workers: str, sleep: float, cost: EngineCost) -> str:
    """Return a line of the table."""
    return f"{workers:16} {sleep:8.0f} {cost.main:10.3f} {cost.clock:10.3f} {cost.beyond:10.3f}"


@click.command()
@click.option("--jobs", default=2000, show_default=True, type=click.IntRange(min=2), help="Jobs of each run.")
@click.option("--space", default="nasbench201", show_default=True, help="Where their architectures are from.")
@click.option("--local", multiple=True, type=int, help="Worker processes; repeat for more.  [default: 1, 2]")
@click.option("--points", default=0, show_default=True, help="Points of the curve of a simulated job's record.")
@click.option("--simulated", multiple=True, type=int, help="Simulated workers.  [default: 1, 2, 4, 16, 64]")
def main(jobs: int, space: str, points: int, local: tuple[int, ...], simulated: tuple[int, ...]) -> None:
    """Measure what the engine costs a job."""
    if not local and not simulated:
        local, simulated = LOCAL, SIMULATED
    plan = no_op_plan(jobs, space)
    click.echo(f"{describe_machine()}\n{jobs:,} jobs; milliseconds a job")
    click.echo(f"{'workers':16} {'sleep':>8} {'main':>10} {'clock':>10} {'beyond':>10}")
    for workers in local:
        click.echo(format_row(f"{workers} local", 0, measure_engine(plan, "local", workers)))
    for workers in simulated:
        for sleep in SLEEPS:
            executor = f"simulated:workers={workers},milliseconds={sleep},points={points}"
            click.echo(format_row(f"{workers} simulated", sleep, measure_engine(plan, executor, workers, sleep)))
    click.echo(f"peak memory of the main process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB")


if __name__ == "__main__":
    main()
