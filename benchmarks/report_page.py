"""Measure a whole report as one HTML page: thousands of architectures, twenty evaluators, 1,000 resamples.

Usage: python -m nasbench_toolkit.benchmarks.report_page [--architectures 6466] [--evaluators 20]

Processes of their own run `nasbench report FILE --output page.html` on a synthetic results file of cells that can be
drawn. Every fourth evaluator has curves, and two jobs of a hundred have failed, others for each evaluator.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.plan import PlanHeader
from ..core.plugin_manager import installed_plugins
from ..core.results.contents import Results
from ..core.results.store import write_results
from .processes import measure_command
from .results_file import make_results

SPACE = "nasbench101"


def main() -> None:
    """Make a file and a page of it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", type=int, default=6466)
    parser.add_argument("--evaluators", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        source, page = Path(directory, "r.h5"), Path(directory, "page.html")
        write_results(source, of_real_cells(make_results(args.architectures, args.evaluators)))
        usage = measure_command(
            [sys.executable, "-m", "nasbench_toolkit", "report", str(source), "--output", str(page)]
        )
        print(f"{usage.processor:.1f} processor s, {usage.wall:.1f} s by the clock, load {os.getloadavg()[0]:.1f}")
        print(f"{usage.memory / 1e6:.0f} MB of memory, a page of {page.stat().st_size / 1e6:.1f} MB")


def of_real_cells(results: Results) -> Results:
    """Return results of other architectures: cells of a search space, as many."""
    space = installed_plugins().search_space(SPACE).info.create()
    arch_ids = space.sample(len(results.arch_ids), np.random.default_rng(0))
    return replace(results, plan=PlanHeader(SPACE, "cifar10", 0, "uniform"), arch_ids=tuple(arch_ids))


if __name__ == "__main__":
    main()
