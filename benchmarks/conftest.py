"""What all benchmarks have in common: options, the machine above the table, and columns that mean something."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from nasbench_toolkit.benchmarks.machine import describe_machine
from nasbench_toolkit.benchmarks.processes import measure_command

CHECKOUT = Path(__file__).parents[1]


class CheckoutIsNoPackage:
    """Keeps pytest from importing the checkout itself, which has an ``__init__.py``, under the name of its folder."""

    @staticmethod
    def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect the checkout as a folder."""
        return pytest.Dir.from_parent(parent, path=path) if path == CHECKOUT else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what chooses benchmarks."""
    group = parser.getgroup("nasbench")
    group.addoption("--spaces", default="nasbench201-tiny", help="Search spaces of the evaluators, with commas.")
    group.addoption("--evaluators", default="", help="Evaluators, with commas; all that fit by default.")
    group.addoption("--nasbench101", type=Path, help="NAS-Bench-101 as an interchange table, to be imported.")


def pytest_configure(config: pytest.Config) -> None:
    """Choose columns; the minimum is what other work on the machine changes least."""
    config.pluginmanager.register(CheckoutIsNoPackage())
    if importlib.util.find_spec("pytest_benchmark") is None:
        raise pytest.UsageError("The benchmarks need the extra 'bench': pip install -e '.[bench]'")
    config.option.benchmark_columns = ["min", "median", "max", "rounds"]
    config.option.benchmark_sort = "fullname"
    config.option.benchmark_group_by = "group"


def pytest_report_header() -> str:
    """Say which machine and versions the figures belong to."""
    return describe_machine()


class CommandClock:
    """Counts the processor seconds of commands, all their processes together."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds of all commands so far."""
        return self._seconds

    def run(self, *arguments: str, stdin: str = "") -> None:
        """Run Python with some arguments."""
        self._seconds += measure_command([sys.executable, *arguments], stdin).processor


COMMANDS = CommandClock()


@pytest.fixture
def run_python() -> CommandClock:
    """Run Python in a process of its own, whose processor seconds count."""
    return COMMANDS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time by the commands' own clock what runs commands."""
    for item in items:
        if "run_python" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.benchmark(timer=COMMANDS), append=False)
