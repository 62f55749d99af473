"""Tables: importing NAS-Bench-101, and looking up 1,000 architectures in each table that is here, in a new process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nasbench_toolkit.core.plugin_manager import installed_plugins

GROUP = "tables: processor seconds of a new process"
ROUNDS = 3

LOOK_UP = """
import sys
from nasbench_toolkit.core.plugin_manager import installed_plugins
table = installed_plugins().search_space(sys.argv[1]).info.create().ground_truth()
assert len(table.values(table.metrics[0], sys.stdin.read().splitlines())) == 1000
"""

SPACES = ("nasbench201-tiny", "nasbench101", "nasbench201", "nds-darts", "nasbench-nlp")


@pytest.mark.benchmark(group=GROUP)
@pytest.mark.parametrize("space", SPACES)
def test_look_up(benchmark: Any, run_python: Any, space: str) -> None:
    """Open a table and look up 1,000 architectures; loading the toolkit is in it."""
    import numpy as np

    made = installed_plugins().search_space(space).info.create()
    if made.ground_truth() is None:
        pytest.skip(f"the table of '{space}' is not imported")
    arch_ids = "\n".join(made.sample(1000, np.random.default_rng(0)))
    benchmark.pedantic(lambda: run_python.run("-c", LOOK_UP, space, stdin=arch_ids), rounds=ROUNDS)


@pytest.mark.benchmark(group=GROUP)
def test_import(
    benchmark: Any, run_python: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Import NAS-Bench-101's 423,624 rows."""
    table = request.config.getoption("--nasbench101")
    if table is None:
        pytest.skip("give the interchange table of NAS-Bench-101 with --nasbench101 nasbench101.csv.gz")
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path))
    command = ("-m", "nasbench_toolkit", "data", "import", "nasbench101", str(table.absolute()))
    benchmark.pedantic(lambda: run_python.run(*command), rounds=1)
