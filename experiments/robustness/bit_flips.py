"""Flip single bits of a results file and a stored table: each is read as it was, or refused, and none hangs.

Every file is read, reported and merged, or opened, verified and looked up in, in a child process with a time limit. A
file that is read must hold what it held. Half of the bits are spread evenly, the others random.

Usage: python experiments/robustness/bit_flips.py [--flips 2000] [--seed 0] [--seconds 60]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from nasbench_toolkit.experiments.robustness.small_files import (
    use_results,
    use_table,
    write_small_results,
    write_small_table,
)
from nasbench_toolkit.experiments.robustness.trial import DONE, REFUSED, Trial, attempt

KINDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], str]]] = {
    "results file": (write_small_results, use_results),
    "stored table": (write_small_table, use_table),
}


def main() -> None:
    """Flip, use and count; exit code 1 if a file was read wrongly, hung or crashed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in KINDS:
            failures += run(name, args.flips // len(KINDS), args.seed, args.seconds, Path(folder))
    sys.exit(bool(failures))


def run(name: str, flips: int, seed: int, seconds: float, folder: Path) -> int:
    """Flip ``flips`` bits of a file, print how it went, and return how many times it went wrong."""
    write, use = KINDS[name]
    path = folder / "file.h5"
    write(path)
    intact, expected = path.read_bytes(), use(path)
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for number in range(flips):
        bit = number * len(intact) * 8 // flips if number % 2 else rng.randrange(len(intact) * 8)
        trial = use_flipped(path, intact, bit, use, seconds)
        slowest = max(slowest, trial.seconds)
        outcome = judge(trial, expected)
        outcomes[outcome] += 1
        if outcome not in (DONE, REFUSED):
            print(f"{name}: bit {bit % 8} of byte {bit // 8}: {outcome}: {trial.text[:200]}", flush=True)
    survived = outcomes[DONE] + outcomes[REFUSED]
    print(f"{name}: {survived}/{flips} survived ({dict(outcomes)}), slowest {slowest:.1f} s", flush=True)
    return flips - survived


def use_flipped(path: Path, intact: bytes, bit: int, use: Callable[[Path], str], seconds: float) -> Trial:
    """Use a file with one bit flipped."""
    damaged = bytearray(intact)
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    return attempt(lambda: use(path), seconds)


def judge(trial: Trial, expected: str) -> str:
    """Return the outcome, WRONG if something else was read than was written."""
    return "WRONG" if trial.outcome == DONE and trial.text != expected else trial.outcome


if __name__ == "__main__":
    main()
