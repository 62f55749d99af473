"""What the engine costs a job; see :mod:`.engine`, which prints more of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from nasbench_toolkit.benchmarks.engine import measure_engine, no_op_plan

JOBS = 1000
ROUNDS = 3


@pytest.mark.benchmark(
    group=f"engine: processor seconds of the main process for {JOBS} jobs, so milliseconds a job",
    timer=time.process_time,
)
@pytest.mark.parametrize("workers", [1, 64])
def test_main_process(benchmark: Any, workers: int) -> None:
    """Hand out jobs to simulated workers and write what comes back; start and end of the run are in it."""
    plan = no_op_plan(JOBS)
    benchmark.pedantic(lambda: measure_engine(plan, f"simulated:workers={workers}", workers), rounds=ROUNDS)
