"""Measure how much faster two workers are than one, on a quiet machine with two free cores.

    python -m nasbench_toolkit.benchmarks.scaling [--evaluator gennas-combo] [--space nasbench201-tiny] [--samples 40]

Runs the same jobs in turn with one worker and with two, and prints for each run the jobs a second from the first record
to the last, while all workers are busy, the seconds of the whole run with its start, and the processor seconds of a
job; then the ratios, medians over the turns. Other work on the machine makes the clock's figures worthless: the load is
printed before and after. Processor seconds of a job with two workers above those with one show what they take from each
other, such as the memory's bandwidth. ``--pinned`` compares workers that are each tied to one core with those that are
not.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from ..core.domain import Record
from ..core.jobs.choice import choose_executor
from ..core.jobs.run import RunOptions, run_plan
from ..core.plan import Plan
from ..core.planning.requests import RunRequest, make_plan
from .engine import with_benchmark_executors
from .machine import describe_machine


@dataclass(frozen=True)
class Speed:
    """What a run took.

    Attributes:
        rate: Jobs a second while all workers are busy.
        whole: Seconds of the run by the clock.
        processor: Processor seconds of a job.
    """

    rate: float
    whole: float
    processor: float


def measure_speed(plan: Plan, executor: str, workers: int) -> Speed:
    """Run a plan with so many workers."""
    records: list[tuple[float, Record]] = []
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        start = choose_executor(executor, with_benchmark_executors()).start
        options = RunOptions(Path(directory, "r.h5"), ("cpu",) * workers, start_executor=start)
        run_plan(plan, options, lambda *_: None, lambda record: records.append((time.perf_counter(), record)))
    whole = time.perf_counter() - started
    # Each worker's first job also pays for what is loaded at first use, and in its last ones others may be done.
    times = [at for at, _ in records][workers - 1 : len(records) - workers + 1]
    return Speed(
        (len(times) - 1) / (times[-1] - times[0]), whole, sum(r.cost.processor for _, r in records) / len(records)
    )


@click.command()
@click.option("--evaluator", default="gennas-combo", show_default=True, help="Evaluator.")
@click.option("--space", default="nasbench201-tiny", show_default=True, help="Search space.")
@click.option("--samples", default=40, show_default=True, type=click.IntRange(min=8), help="Architectures.")
@click.option("--turns", default=3, show_default=True, type=click.IntRange(min=1), help="Runs of each.")
@click.option("--pinned", is_flag=True, help="Compare workers that are tied to cores with those that are not.")
def main(evaluator: str, space: str, samples: int, turns: int, pinned: bool) -> None:
    """Measure how much faster two workers are than one."""
    plan = make_plan(RunRequest(space, (evaluator,), samples=samples), with_benchmark_executors())
    kinds = [("local", 2), ("pinned", 2)] if pinned else [("local", 1), ("local", 2)]
    click.echo(f"{describe_machine()}\n{evaluator} on {space}, {samples} architectures")
    click.echo(f"{'run':20} {'jobs a second':>14} {'whole run, s':>14} {'processor s a job':>18}")
    speeds: list[list[Speed]] = [[] for _ in kinds]
    for _ in range(turns):
        for (executor, workers), found in zip(kinds, speeds, strict=True):
            speed = measure_speed(plan, executor, workers)
            found.append(speed)
            name = f"{executor}, {workers} workers"
            click.echo(f"{name:20} {speed.rate:14.3f} {speed.whole:14.2f} {speed.processor:18.3f}")
    (first, second), load = speeds, os.getloadavg()[0]
    pairs = list(zip(first, second, strict=True))
    click.echo(
        f"second / first: jobs a second {median(b.rate / a.rate for a, b in pairs):.3f}, whole runs "
        f"{median(a.whole / b.whole for a, b in pairs):.3f}, processor seconds a job "
        f"{median(b.processor / a.processor for a, b in pairs):.3f}; load at the end {load:.1f}"
    )


if __name__ == "__main__":
    main()
