"""Run evaluators that misbehave beside others and check that these have the scores that they have without them.

For each way there is one run: it must end, its file must be readable, the others' scores must be equal bit for bit to
those of a run without it, and the misbehaving evaluator must have its score where it behaves and one of the statuses
that its way may end with where it does not.

Usage: python experiments/robustness/misbehaving_evaluators.py [--from WAY] [--samples 6]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.results.contents import Results
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.experiments.robustness.plugin_folder import make_plugin_folder
from nasbench_toolkit.experiments.robustness.ways_to_misbehave import (
    FAILING,
    SCORING,
    WAYS,
    misbehaves_on,
    number_of,
)

MODULE = "nasbench_toolkit.experiments.robustness.ways_to_misbehave"

NEIGHBOURS = ("synflow", "snip", "naswot", "l2_norm", "gennas-single:iterations=2,batch_size=4")

SECONDS_A_JOB = 5
SECONDS_A_RUN = 120


def main() -> None:
    """Try every way and print what survived; exit code 1 if something did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", choices=WAYS, help="leave out the ways before this one")
    parser.add_argument("--samples", type=int, default=6)
    args = parser.parse_args()
    ways = list(WAYS)[list(WAYS).index(args.first) if args.first else 0 :]
    survived: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        folder = make_plugin_folder(Path(directory, "plugin"), "misbehaving", MODULE)
        alone = run(folder, Path(directory, "alone.h5"), (), args.samples)
        for way in ways:
            problem = try_way(way, folder, Path(directory, f"{way}.h5"), alone, args.samples)
            survived[kind_of(way)] += not problem
            print(f"{way}: {problem or 'survived'}", flush=True)
    wanted = Counter(map(kind_of, ways))
    for kind, count in wanted.items():
        print(f"{kind}: {survived[kind]}/{count} survived")
    sys.exit(survived != wanted)


def kind_of(way: str) -> str:
    """Return the first word of a way."""
    return way.partition("-")[0]


def try_way(way: str, folder: Path, path: Path, alone: Results, samples: int) -> str:
    """Run one evaluator beside the others; return what is wrong, an empty text if nothing is."""
    try:
        return problem_of(way, run(folder, path, (way,), samples), alone)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def run(folder: Path, path: Path, ways: tuple[str, ...], samples: int) -> Results:
    """Run some ways before the others, and return the results."""
    evaluators = [arg for name in (*ways, *NEIGHBOURS) for arg in ("--evaluator", name)]
    command = [
        sys.executable,
        "-m",
        "nasbench_toolkit",
        "run",
        *evaluators,
        "--samples",
        str(samples),
        "--workers",
        "1",
    ]
    subprocess.run(
        [*command, "--time-limit", str(SECONDS_A_JOB), "--output", str(path)],
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS_A_RUN,
        check=True,
    )
    return read_results(path)


def problem_of(way: str, results: Results, alone: Results) -> str:
    """Return what is wrong with the results of a run, an empty text if nothing is."""
    records = {part.header.label: part.records for part in results.evaluators}
    for part in alone.evaluators:
        if records[part.header.label].scores.tolist() != part.records.scores.tolist():
            return f"the scores of {part.header.label} are others"
    for row, arch_id in enumerate(results.arch_ids):
        record = records[way][row]
        if not misbehaves_on(arch_id):
            if record.score != number_of(arch_id):
                return f"where it behaves it has {record.status} {record.score} {record.message}"
        elif (record.status is Status.OK) != (way in SCORING) or record.status is Status.PENDING:
            return f"it ended with {record.status}: {record.message}"
    if not any(map(misbehaves_on, results.arch_ids)):
        return "it never misbehaved: give more --samples"
    return ""


if __name__ == "__main__":
    assert not FAILING.keys() & SCORING.keys()
    main()
