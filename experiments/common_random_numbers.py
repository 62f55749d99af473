"""Show what common random numbers do to the difference between two presets of one evaluator, over several seeds.

Usage: python -m nasbench_toolkit.experiments.common_random_numbers --output scores.jsonl [--seeds 4] [--cells 100]

Scores the same NAS-Bench-101 cells with gennas-combo's presets ``official`` and ``paper``: once as the engine does,
where both train the same initial weights on the same draws, and once with streams that depend on evaluator and settings
as well, as if each preset were a run of its own; the batch is the same in both. Scores are appended to the output, and
what it has is not computed again. Needs the table ``nasbench101`` and the images ``cifar10`` ('nasbench data import').
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch

from ..core.context import EvaluationContext, WorkerCache
from ..core.domain import JobKey
from ..core.jobs.devices import usable_cores
from ..core.planning.metric_names import find_metric
from ..core.planning.sampling import sample_architectures
from ..core.plugin_manager import installed_plugins
from ..core.seeding import derive_seed, seeded_global_rng
from ..core.settings import parse_settings, settings_hash
from ..core.statistics.correlation import spearman_rho

T = TypeVar("T")

SPACE, DATASET, EVALUATOR = "nasbench101", "cifar10", "gennas-combo"
SAMPLE_SEED, SAMPLES = 0, 100

# How a preset's random streams are seeded, and the preset: the first two are what the engine does.
ARMS = (("common", "official"), ("common", "paper"), ("separate", "paper"))

Job = tuple[str, str, int, str]
"""Streams, preset, seed, architecture."""


class SeparateStreams(EvaluationContext):
    """A job whose initial weights, targets and noise depend on evaluator and settings as well."""

    @property
    def _own(self) -> str:
        return f"{self.key.evaluator} {self.key.settings_hash}"

    def initial_weights(self, what: str) -> AbstractContextManager[None]:
        """Seed the weights of this evaluator with these settings."""
        return super().initial_weights(f"{what} {self._own}")

    def shared(self, what: str, compute: Callable[[torch.Generator], T]) -> T:
        """Draw a value for this evaluator with these settings."""
        return super().shared(f"{what} {self._own}", compute)

    def generator(self, stream: str) -> torch.Generator:
        """Seed a stream of this evaluator with these settings."""
        return super().generator(f"{stream} {self._own}")


@cache
def _worker_cache() -> WorkerCache:
    torch.set_num_threads(1)
    return WorkerCache({})


def score(job: Job) -> tuple[Job, float]:
    """Return a job with its score."""
    streams, preset, seed, arch_id = job
    plugins = installed_plugins()
    info, dataset = plugins.evaluator(EVALUATOR).info, plugins.dataset(DATASET).info
    settings = parse_settings(EVALUATOR, info.settings, {"preset": preset})
    key = JobKey(SPACE, DATASET, arch_id, EVALUATOR, settings_hash(info.version, settings), seed)
    space = plugins.search_space(SPACE).info.create()
    make = SeparateStreams if streams == "separate" else EvaluationContext
    context = make(key, space, dataset, dataset.create(), torch.device("cpu"), _worker_cache())
    with seeded_global_rng(derive_seed("global", *key.own_seed_parts)):
        return job, info.create(settings).evaluate(context).score


def read_scores(path: Path) -> dict[Job, float]:
    """Return the scores that a former start has computed."""
    lines = path.read_text().splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines]
    return {(streams, preset, seed, arch_id): value for streams, preset, seed, arch_id, value in entries}


def compute_missing(jobs: list[Job], output: Path, workers: int) -> None:
    """Score what the output lacks, job by job."""
    missing = [job for job in jobs if job not in read_scores(output)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool, output.open("a") as file:
        for job, value in pool.imap(score, missing):
            file.write(json.dumps([*job, value]) + "\n")
            file.flush()


def report(scores: dict[Job, float], cells: tuple[str, ...], seeds: range) -> Iterator[str]:
    """Say how far the two presets lie apart for each seed, and how much that varies over seeds."""
    table = installed_plugins().search_space(SPACE).info.create().ground_truth()
    if table is None:
        raise SystemExit("The table nasbench101 is not here: bring it with 'nasbench data import nasbench101 FILE'.")
    truth = table.values(find_metric("test_accuracy", table.metrics, DATASET), cells)

    def losses(streams: str, preset: str, seed: int) -> list[float]:
        return [scores[streams, preset, seed, cell] for cell in cells]

    def rho(streams: str, preset: str, seed: int) -> float:
        return spearman_rho([-loss for loss in losses(streams, preset, seed)], truth)

    for streams in ("common", "separate"):
        if any((streams, "paper", seed, cell) not in scores for seed in seeds for cell in cells):
            continue
        differences = [rho(streams, "paper", seed) - rho("common", "official", seed) for seed in seeds]
        agreement = [spearman_rho(losses("common", "official", seed), losses(streams, "paper", seed)) for seed in seeds]
        ratios = [
            [
                math.log(scores[streams, "paper", seed, cell] / scores["common", "official", seed, cell])
                for seed in seeds
            ]
            for cell in cells
        ]
        spread_of_cells = statistics.fmean(map(statistics.stdev, ratios))
        yield (
            f"{streams:9} rho(paper) - rho(official): {', '.join(f'{value:+.3f}' for value in differences)}; "
            f"mean {statistics.fmean(differences):+.3f}, standard deviation {statistics.stdev(differences):.3f}\n"
            f"{'':9} rank agreement of the presets: {', '.join(f'{value:.3f}' for value in agreement)}\n"
            f"{'':9} standard deviation over seeds of a cell's log ratio of losses, mean: {spread_of_cells:.4f}"
        )


def main() -> None:
    """Compute what is missing and print the spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--cells", type=int, default=SAMPLES, help="score the first so many of the sample only")
    parser.add_argument("--workers", type=int, default=usable_cores())
    args = parser.parse_args()
    space = installed_plugins().search_space(SPACE).info.create()
    cells, seeds = sample_architectures(space, SAMPLES, SAMPLE_SEED)[: args.cells], range(args.seeds)
    jobs = [(*arm, seed, cell) for arms in (ARMS[:2], ARMS[2:]) for seed in seeds for arm in arms for cell in cells]
    compute_missing(jobs, args.output, args.workers)
    print(*report(read_scores(args.output), cells, seeds), sep="\n")


if __name__ == "__main__":
    main()
