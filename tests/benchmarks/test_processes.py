import sys

import click
import pytest
from nasbench_toolkit.benchmarks.processes import measure_command

# A child spends processor time after its parent has ended.
ORPHAN = """
import os, time
if not os.fork():
    while time.process_time() < 0.3:
        pass
"""


def test_processes_that_outlive_a_command_are_counted() -> None:
    usage = measure_command([sys.executable, "-c", ORPHAN])
    assert 0.3 <= usage.processor < 3


def test_memory_is_that_of_the_largest_process() -> None:
    usage = measure_command([sys.executable, "-c", "b'x' * 200_000_000"])
    assert 2e8 < usage.memory < 1e9


def test_command_that_fails_says_why() -> None:
    with pytest.raises(click.ClickException, match=r"(?s)exit code 3:\nno luck"):
        measure_command([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])
