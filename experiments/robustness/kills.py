"""Kill a run or a search at random moments, resume it each time, and compare its file with an uninterrupted one's.

Usage: python experiments/robustness/kills.py [--search] [--kills 20] [--samples 200] [--seed 0]
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

from nasbench_toolkit.core.domain import JobCost
from nasbench_toolkit.core.results.contents import Results
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search.history import SearchHistory, Step
from nasbench_toolkit.core.search.storage import read_search, read_stored_search

EVALUATORS = ("gennas-combo:iterations=20", "synflow", "naswot", "params", "random")

# Evolution proposes from the scores it has, so that any step lost, doubled or told in another order shows in the rest.
SEARCH = ("-e", "gennas-combo:iterations=20", "-s", "regularized-evolution", "--parallel", "2", "--workers", "2")


def main() -> None:
    """Run, kill and compare; exit code 1 if the two files differ in anything but times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", action="store_true", help="a search, with --samples evaluations")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as directory:
        whole, killed = Path(directory, "whole.h5"), Path(directory, "killed.h5")
        startup = duration(args.search, 2, Path(directory, "short.h5"))
        work = max(duration(args.search, args.samples, whole) - startup, 0.0)
        print(f"uninterrupted: {startup:.1f} s to start, then {work:.1f} s", flush=True)
        done, advances = 0, 0
        for number in range(args.kills):
            delay = random_delay(rng, startup, work / args.kills)
            reached, report = kill_after(args.search, args.samples, killed, delay)
            print(f"kill {number + 1} after {delay:.2f} s: {report}", flush=True)
            advances += reached > done
            done = max(done, reached)
        print(f"{advances} of {args.kills} kills came after something new was done", flush=True)
        if start_run(args.search, args.samples, killed).wait():
            sys.exit("the last run failed")
        equal = contents(args.search, whole) == contents(args.search, killed)
        print("equal but for times" if equal else "DIFFERENT")
        if not advances:
            sys.exit("no kill came while jobs were done, so that nothing was tested: give more --samples")
        sys.exit(not equal)


def duration(search: bool, samples: int, output: Path) -> float:
    """Run without interruption and return what it took in seconds."""
    start = time.monotonic()
    if start_run(search, samples, output).wait():
        sys.exit("an uninterrupted run failed")
    return time.monotonic() - start


def random_delay(rng: random.Random, startup: float, share: float) -> float:
    """Return seconds until a kill: every second one comes while files are made and workers start.

    Args:
        rng: Source of randomness.
        startup: Seconds until the first jobs are done.
        share: Seconds of work for each kill. The kills get half of the work done, and leave half for the last run.
    """
    return rng.uniform(0, startup) if rng.random() < 0.5 else startup + rng.uniform(0, 2 * share)


def start_run(search: bool, samples: int, output: Path) -> subprocess.Popen[bytes]:
    """Start or resume the run or search in a process group of its own."""
    evaluators = [part for name in EVALUATORS for part in ("-e", name)]
    task = ["search", *SEARCH] if search else ["run", *evaluators]
    command = [sys.executable, "-m", "nasbench_toolkit", *task, "-n", str(samples), "--resume"]
    return subprocess.Popen(
        [*command, "-o", str(output)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_after(search: bool, samples: int, output: Path, delay: float) -> tuple[int, str]:
    """Resume, kill all processes after ``delay`` seconds, and return how far they had come: as a number, in words."""
    process = start_run(search, samples, output)
    try:
        process.wait(delay)
        return 0, "had finished already"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not output.exists():
        return 0, "no file yet"
    return progress_of_search(samples, output) if search else progress_of_run(output)


def progress_of_run(path: Path) -> tuple[int, str]:
    """Return how many jobs a run has done."""
    results = read_results(path)
    done = sum(part.done for part in results.evaluators)
    return done, f"{done} of {len(results.arch_ids) * len(results.evaluators)} jobs done"


def progress_of_search(samples: int, path: Path) -> tuple[int, str]:
    """Return how many evaluations a search has done, and how many proposals were waiting for their scores."""
    stored = read_stored_search(path)
    done = len(stored.history.steps)
    return done, f"{done} of {samples} evaluations done, {len(stored.proposals) - done} proposals waiting"


def contents(search: bool, path: Path) -> str:
    """Return all that a file holds as text, but for times and environment; of a search its steps as well."""
    return comparable_history(read_search(path)) if search else comparable(read_results(path))


def comparable(results: Results) -> str:
    """Return all of the results as text, but for times and environment."""
    records = [[replace(record, cost=JobCost()) for record in part.records] for part in results.evaluators]
    headers = [part.header for part in results.evaluators]
    return repr((replace(results, evaluators=(), environment={}), headers, records))


def comparable_history(history: SearchHistory) -> str:
    """Return all of a search as text, but for times and environment."""
    steps, refused = ([without_time(step) for step in kind] for kind in (history.steps, history.refused))
    return repr((history.header, steps, refused)) + comparable(history.results)


def without_time(step: Step) -> Step:
    """Return a step as if it had taken no time."""
    return replace(step, record=replace(step.record, cost=JobCost()))


if __name__ == "__main__":
    main()
