"""A results file of 5,000 architectures and 20 evaluators; see :mod:`.results_file`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from nasbench_toolkit.benchmarks.results_file import make_results
from nasbench_toolkit.core.results.contents import Results
from nasbench_toolkit.core.results.store import read_results, write_results
from nasbench_toolkit.reports.correlation import correlation_table

ROUNDS = 5


@pytest.fixture(scope="module")
def results() -> Results:
    """Make what is written."""
    return make_results(5000, 20)


@pytest.mark.benchmark(group="results file: processor seconds", timer=time.process_time)
def test_write(benchmark: Any, results: Results, tmp_path: Path) -> None:
    """Write the whole file."""
    benchmark.pedantic(lambda: write_results(tmp_path / "r.h5", results), rounds=ROUNDS)


@pytest.mark.benchmark(group="results file: seconds by the clock", timer=time.perf_counter)
def test_read(benchmark: Any, results: Results, tmp_path: Path) -> None:
    """Read and check the whole file, which a process of its own opens."""
    write_results(tmp_path / "r.h5", results)
    benchmark.pedantic(lambda: read_results(tmp_path / "r.h5"), rounds=ROUNDS, warmup_rounds=1)


@pytest.mark.benchmark(group="results file: processor seconds", timer=time.process_time)
def test_report(benchmark: Any) -> None:
    """Compute the table of 500 architectures and 4 evaluators, with its bootstrap intervals."""
    small = make_results(500, 4)
    benchmark.pedantic(lambda: correlation_table(small), rounds=ROUNDS)
