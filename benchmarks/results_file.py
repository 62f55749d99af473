"""Measure writing, reading and reporting a large results file: thousands of architectures, twenty evaluators.

Usage: python -m nasbench_toolkit.benchmarks.results_file [--architectures 5000] [--evaluators 20] [--tries 7]

Every fourth evaluator has curves of ten points, and two jobs of a hundred have failed. The best try counts:
processor seconds of writing and choosing, and seconds by the clock of reading, since a process of its own reads; what
its start takes is in the first reading only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.domain import Direction, Metric, Status
from ..core.plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from ..core.results.contents import EvaluatorResults, Results
from ..core.results.records import CODES, OK, SECONDS_PARTS, Floats, Records
from ..core.results.store import read_results, write_results
from ..reports.select import select

TRIES = 7
POINTS = 10


def main() -> None:
    """Make a file, and print what it takes to write it, to read it and to choose what a report compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", type=int, default=5000)
    parser.add_argument("--evaluators", type=int, default=20)
    parser.add_argument("--tries", type=int, default=TRIES)
    args = parser.parse_args()
    tries = args.tries
    results = make_results(args.architectures, args.evaluators)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "r.h5")
        print(f"write: {measure(lambda: write_results(path, results), tries, time.process_time):.3f} processor s")
        print(f"first read: {measure(lambda: read_results(path), 1):.3f} s")
        print(f"read: {measure(lambda: read_results(path), tries):.3f} s, {path.stat().st_size / 1e6:.1f} MB")
        stored = read_results(path)
    print(f"select: {measure(lambda: select(stored), tries, time.process_time):.4f} processor s")


def measure(action: Callable[[], object], tries: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds of the fastest try."""
    seconds = []
    for _ in range(tries):
        start = clock()
        action()
        seconds.append(clock() - start)
    return min(seconds)


def make_results(architectures: int, evaluators: int) -> Results:
    """Return results whose scores are the ground truth with noise."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=architectures)
    metric = Metric("cifar10", "test", "accuracy", 200, Direction.MAXIMIZE, "percent")
    column = GroundTruthColumn(metric, tuple(truth.tolist()), 0.9, "synthetic")
    parts = tuple(
        EvaluatorResults(
            EvaluatorHeader(f"e{number}", f"e{number}", Direction.MAXIMIZE, 1, {}, f"{number:016x}", "synthetic 1"),
            make_records(truth, rng, with_curves=number % 4 == 0),
            seed=0,
        )
        for number in range(evaluators)
    )
    # As long as the cells of NAS-Bench-101.
    arch_ids = tuple(f"{number:08d}{'x' * 64}" for number in range(architectures))
    return Results(PlanHeader("synthetic", "cifar10", 0, "uniform"), arch_ids, (column,), parts, {})


def make_records(truth: Floats, rng: np.random.Generator, *, with_curves: bool) -> Records:
    """Return the records of one evaluator."""
    failed = rng.random(len(truth)) < 0.02
    curves = truth[:, None] + rng.normal(size=(len(truth), POINTS))
    curves[failed] = np.nan
    return replace(
        Records.pending(len(truth)),
        statuses=np.where(failed, CODES[Status.FAILED], OK).astype(np.uint8),
        scores=curves[:, -1],
        messages=np.where(failed, "ValueError: something went wrong", "").astype(object),
        tracebacks=np.where(failed, "ValueError: something went wrong", "").astype(object),
        seconds=rng.random((len(truth), len(SECONDS_PARTS))),
        peak_memory=rng.integers(2**30, size=len(truth)).astype(np.float64),
        curves={"value": curves} if with_curves else {},
        batches={"16 images": "0a1b"},
    )


if __name__ == "__main__":
    main()
