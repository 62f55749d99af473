"""Kill commands and their processes at random moments, and check that nothing is lost, changed or left behind.

Runs, searches and task searches are killed as a whole and continued, imports and merges are killed and repeated,
workers are killed alone, and the main process is killed alone while an evaluator does all to outlive it.

Usage: python experiments/robustness/kills.py [--only run] [--kills 10] [--seed 0]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from nasbench_toolkit.experiments.robustness.killed_commands import killed_imports, killed_merges
from nasbench_toolkit.experiments.robustness.killed_processes import killed_parents, killed_workers
from nasbench_toolkit.experiments.robustness.killed_sessions import killed_sessions

Kills = Callable[[Path, random.Random, int], Iterator[tuple[str, str]]]
"""Given a folder, random numbers and a count, kills so often; yields of each what was killed, and what went wrong."""

KINDS: dict[str, Kills] = {
    "run": lambda folder, rng, kills: killed_sessions("run", folder, rng, kills),
    "search": lambda folder, rng, kills: killed_sessions("search", folder, rng, kills),
    "task-search": lambda folder, rng, kills: killed_sessions("task-search", folder, rng, kills),
    "import": killed_imports,
    "merge": killed_merges,
    "worker-of-a-run": lambda folder, rng, kills: killed_workers("run", folder, rng, kills),
    "worker-of-a-search": lambda folder, rng, kills: killed_workers("search", folder, rng, kills),
    "parent": killed_parents,
}


def main() -> None:
    """Kill and compare, and print what survived; exit code 1 if something did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=KINDS, help="only this kind")
    parser.add_argument("--kills", type=int, default=10, help="of each kind; the parent is killed once for each way")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    survived: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for kind in [args.only] if args.only else KINDS:
        with tempfile.TemporaryDirectory() as directory:
            for killed, problem in KINDS[kind](Path(directory), random.Random(args.seed), args.kills):
                tried[kind] += 1
                survived[kind] += not problem
                print(f"{kind}, {killed}: {problem or 'survived'}", flush=True)
    for kind, count in tried.items():
        print(f"{kind}: {survived[kind]}/{count} survived")
    print(f"{survived.total()}/{tried.total()} survived")
    sys.exit(survived != tried)


if __name__ == "__main__":
    main()
