"""Measure what the engine costs a job: an evaluator that computes nothing, over thousands of architectures.

Usage: python experiments/engine_overhead.py [--architectures 2000] [--workers 2]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from nasbench_toolkit.core.jobs.run import RunOptions, run_plan
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins


def main() -> None:
    """Run and print milliseconds a job, from the first job to the last, writing included."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    plan = make_plan(RunRequest("nasbench201", ("random",), samples=args.architectures), installed_plugins())
    times: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        options = RunOptions(Path(directory, "r.h5"), ("cpu",) * args.workers)
        started = time.perf_counter()
        run_plan(plan, options, lambda *_: None, lambda _: times.append(time.perf_counter()))
        total = time.perf_counter() - started
    per_job = 1000 * (times[-1] - times[0]) / (len(times) - 1)
    print(
        f"{per_job:.2f} ms a job over {len(times)} jobs; {total:.1f} s with starting and ending {args.workers} workers"
    )


if __name__ == "__main__":
    main()
