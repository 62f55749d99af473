"""Kill a run at random moments, resume it each time, and compare its file with that of an uninterrupted run.

Usage: python experiments/kill_and_resume.py [--kills 20] [--samples 200] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from nasbench_toolkit.core.domain import Seconds
from nasbench_toolkit.core.results.contents import Results
from nasbench_toolkit.core.results.reader import read_results

EVALUATORS = ("gennas-combo:iterations=20", "synflow", "naswot", "params", "random")

# What importing and starting workers takes at most on a quiet machine; until then there is no progress.
STARTUP_SECONDS = 4.0


def main() -> None:
    """Run, kill and compare; exit code 1 if the two files differ in anything but times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as directory:
        whole, killed = Path(directory, "whole.h5"), Path(directory, "killed.h5")
        start = time.monotonic()
        start_run(args.samples, whole).wait()
        duration = time.monotonic() - start
        print(f"uninterrupted run: {duration:.1f} s", flush=True)
        for number in range(args.kills):
            # Some kills come while the file is made and workers start; together they leave work for the last run.
            delay = rng.uniform(0, STARTUP_SECONDS + 1.5 * duration / args.kills)
            print(
                f"kill {number + 1} after {delay:.2f} s: {kill_after(args.samples, killed, delay)}",
                flush=True,
            )
        if start_run(args.samples, killed).wait():
            sys.exit("the last run failed")
        equal = comparable(read_results(whole)) == comparable(read_results(killed))
        print("equal but for times" if equal else "DIFFERENT")
        sys.exit(not equal)


def start_run(samples: int, output: Path) -> subprocess.Popen[bytes]:
    """Start or resume the run in a process group of its own."""
    evaluators = [part for name in EVALUATORS for part in ("-e", name)]
    command = [sys.executable, "-m", "nasbench_toolkit", "run", *evaluators, "-n", str(samples), "--resume"]
    return subprocess.Popen(
        [*command, "-o", str(output)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_after(samples: int, output: Path, delay: float) -> str:
    """Resume the run, kill all its processes after ``delay`` seconds, and say how far it had come."""
    process = start_run(samples, output)
    try:
        process.wait(delay)
        return "had finished already"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not output.exists():
        return "no file yet"
    results = read_results(output)
    done = sum(part.done for part in results.evaluators)
    return f"{done} of {len(results.arch_ids) * len(results.evaluators)} jobs done"


def comparable(results: Results) -> str:
    """Return all of the results as text, but for times and environment."""
    parts = [
        replace(part, records=tuple(replace(record, seconds=Seconds()) for record in part.records))
        for part in results.evaluators
    ]
    return repr(replace(results, evaluators=tuple(parts), environment={}))


if __name__ == "__main__":
    main()
