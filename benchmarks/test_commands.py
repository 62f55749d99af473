"""Processor seconds of whole commands, all their processes together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

GROUP = "commands: processor seconds of all their processes"
ROUNDS = 3
RUN = ("-m", "nasbench_toolkit", "run", "--space", "nasbench201", "-e", "random", "-j", "1")


@pytest.mark.benchmark(group=GROUP)
def test_help(benchmark: Any, run_python: Any) -> None:
    """Print the help of a command."""
    benchmark.pedantic(lambda: run_python.run("-m", "nasbench_toolkit", "run", "--help"), rounds=ROUNDS)


@pytest.mark.benchmark(group=GROUP)
def test_start_of_a_run(benchmark: Any, run_python: Any, tmp_path: Path) -> None:
    """Run one job that computes nothing, with one worker process."""
    output = str(tmp_path / "r.h5")
    benchmark.pedantic(lambda: run_python.run(*RUN, "-n", "1", "-o", output, "--overwrite"), rounds=ROUNDS)


@pytest.mark.benchmark(group=GROUP)
def test_resume(benchmark: Any, run_python: Any, tmp_path: Path) -> None:
    """Continue a run of 5,000 jobs of which none is left to do."""
    command = (*RUN, "-n", "5000", "-o", str(tmp_path / "r.h5"))
    run_python.run(*command)
    benchmark.pedantic(lambda: run_python.run(*command, "--resume"), rounds=ROUNDS)


@pytest.mark.benchmark(group=GROUP)
def test_report(benchmark: Any, run_python: Any, tmp_path: Path) -> None:
    """Report on 500 architectures of the embedded table and two evaluators."""
    output = str(tmp_path / "r.h5")
    run_python.run(
        "-m", "nasbench_toolkit", "run", "-e", "random", "-e", "params", "-n", "500", "-j", "1", "-o", output
    )
    benchmark.pedantic(lambda: run_python.run("-m", "nasbench_toolkit", "report", output), rounds=ROUNDS)
