"""Scores NAS-Bench-201 cells with our evaluators and compares with accuracies and with scores made by others.

Run by hand from a checkout:

    python -m nasbench_toolkit.experiments.nasbench201_reference --data DIR --output scores.jsonl --workers 2

DIR holds ``cifar10/cifar-10-batches-py`` (official; whichever batches are there),
``nasbench201/nasbench201.csv.gz`` (a table with the columns ``architecture`` and ``cifar10/test_accuracy@200``) and
``reference_scores/nasbench201_cifar10_suite_zero.csv.gz`` (scores of NAS-Bench-Suite-Zero: a column
``architecture`` and one for each of its proxies). Scores are written as they come; run again with the same file, they
are not computed again.

The suite's ``flops`` also count normalisation, ReLU and pooling, which orders cells that tie in
multiply-adds: the ranks agree to 0.997, and adding those operations to ours gives the suite's numbers exactly
(see the tests).
"""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ..benchmarks_data.images.official_folder import OfficialFolder
from ..benchmarks_data.images.official_layouts import CIFAR10 as CIFAR10_LAYOUT
from ..core.descriptions import EvaluatorInfo
from ..core.domain import JobCost, JobKey, Record, Status
from ..core.jobs.evaluation import JobRunner
from ..core.plugin_manager import installed_plugins
from ..core.settings import parse_settings, settings_hash
from ..core.statistics.correlation import spearman_rho
from ..core.statistics.estimates import estimate_rho
from ..core.statistics.resampling import Resampling
from ..plugins.datasets import CIFAR10
from ..plugins.evaluators.aggregates import AGGREGATES
from ..plugins.evaluators.zero_cost import EVALUATORS
from ..plugins.search_spaces import NASBENCH201
from ..reports.aggregates import cohort_ranks

ACCURACY = "cifar10/test_accuracy@200"
SAMPLE_SEED = 2021

REFERENCE_COLUMNS = {
    "epe_nas": "epe_nas",
    "fisher": "fisher",
    "flops": "flops",
    "grad_norm": "grad_norm",
    "grasp": "grasp",
    "jacob_cov": "jacov",
    "l2_norm": "l2_norm",
    "naswot": "nwot",
    "params": "params",
    "plain": "plain",
    "snip": "snip",
    "synflow": "synflow",
    "zen": "zen",
}

# Spearman's rho with validation accuracy of 1,000 cells (Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022).
PUBLISHED_RHO = {
    "epe_nas": 0.70,
    "fisher": 0.50,
    "flops": 0.69,
    "grad_norm": 0.58,
    "grasp": 0.51,
    "jacob_cov": 0.75,
    "l2_norm": 0.68,
    "naswot": 0.77,
    "params": 0.72,
    "plain": -0.26,
    "snip": 0.58,
    "synflow": 0.73,
    "zen": 0.35,
}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """How the scores of one evaluator rank the cells.

    Attributes:
        evaluator: Its name.
        n: Number of cells it gave a score.
        failed: Number of cells without one, which are left out.
        rho_accuracy: Spearman's rho with CIFAR-10 test accuracy after 200 epochs.
        interval: 95 % bootstrap interval of that.
        rho_reference: Spearman's rho with the scores of NAS-Bench-Suite-Zero, NaN where it has none.
        rho_of_reference: Spearman's rho of those with the accuracy of the same cells.
        seconds: Mean seconds of one score, building the network included.
    """

    evaluator: str
    n: int
    failed: int
    rho_accuracy: float
    interval: tuple[float, float]
    rho_reference: float
    rho_of_reference: float
    seconds: float


def sample_cells(data: Path, count: int) -> pd.DataFrame:
    """Draw cells that have both an accuracy and reference scores; a smaller sample is the start of a larger
    one.

    Returns:
        One row a cell, indexed by its architecture string as the benchmark spells it: two spellings of a
        class may differ in edges that no output depends on, and with them in parameters.
    """
    accuracy = pd.read_csv(data / "nasbench201/nasbench201.csv.gz", index_col="architecture")[[ACCURACY]]
    reference = pd.read_csv(data / "reference_scores/nasbench201_cifar10_suite_zero.csv.gz", index_col="architecture")
    both = accuracy.join(reference, how="inner").sort_index()
    return both.iloc[np.random.default_rng(SAMPLE_SEED).permutation(len(both))[:count]]


@cache
def _runner(data: Path) -> JobRunner:
    torch.set_num_threads(1)
    images = OfficialFolder(CIFAR10_LAYOUT, data / "cifar10/cifar-10-batches-py")
    return JobRunner(NASBENCH201.create(), CIFAR10, images, torch.device("cpu"))


def score_cell(data: Path, arch_id: str, info: EvaluatorInfo, seed: int, given: Mapping[str, str]) -> Record:
    """Score one cell with one evaluator on one thread, from real CIFAR-10 images.

    Args:
        data: The folder of data.
        arch_id: The cell, as the benchmark spells it.
        info: The evaluator.
        seed: Decides initial weights and images.
        given: Its settings, as texts.
    """
    settings = parse_settings(info.name, info.settings, given)
    own_hash = settings_hash(info.version, settings)
    key = JobKey(NASBENCH201.name, CIFAR10.name, arch_id, info.name, own_hash, seed)
    return _runner(data).run(key, info.create(settings))


def measure_agreement(name: str, cells: pd.DataFrame, records: Sequence[Record], sign: float = 1.0) -> Agreement:
    """Compare one evaluator's records, in the order of ``cells``, with accuracies and reference scores.

    Args:
        name: The evaluator.
        cells: Accuracies and reference scores.
        records: One for each cell.
        sign: -1 if a lower score is the better one.
    """
    ok = np.array([record.status is Status.OK for record in records])
    scores = sign * np.array([record.score for record in records])[ok]
    accuracy = cells[ACCURACY].to_numpy()[ok]
    reference = cells[REFERENCE_COLUMNS[name]].to_numpy()[ok] if name in REFERENCE_COLUMNS else None
    (rho,) = estimate_rho([scores], accuracy, Resampling())
    return Agreement(
        evaluator=name,
        n=int(ok.sum()),
        failed=int((~ok).sum()),
        rho_accuracy=_number(rho.value),
        interval=(_number(rho.low), _number(rho.high)),
        rho_reference=math.nan if reference is None else _number(spearman_rho(scores, reference)),
        rho_of_reference=math.nan if reference is None else _number(spearman_rho(reference, accuracy)),
        seconds=float(np.mean([record.cost.seconds for record in records])),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def aggregate_scores(scores: Mapping[str, Floats]) -> dict[str, Floats]:
    """Make every aggregate whose components are all there, for the cohort of these cells.

    Args:
        scores: By evaluator: one for each cell, higher is better, NaN where there is none.
    """
    complete = [info for info in AGGREGATES if info.components and set(info.components) <= set(scores)]
    ranks = {info.name: cohort_ranks([scores[name] for name in info.components]) for info in complete}
    return {info.name: info.create().combine(ranks[info.name]) for info in complete}


@dataclass(frozen=True)
class _Task:
    data: Path
    arch_id: str
    evaluator: str
    seed: int
    given: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """Name what decides the score."""
        return json.dumps([self.arch_id, self.evaluator, self.seed, self.given])


def _perform(task: _Task) -> tuple[_Task, Record]:
    info = installed_plugins().evaluator(task.evaluator).info
    return task, score_cell(task.data, task.arch_id, info, task.seed, dict(task.given))


def _perform_all(tasks: Sequence[_Task], workers: int) -> Iterator[tuple[_Task, Record]]:
    # Spawned: a forked process inherits torch's threads in a state that may hang.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_perform, tasks)


def _read_records(path: Path) -> dict[str, Record]:
    records = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        entry: dict[str, Any] = json.loads(line)
        cost = JobCost(compute=entry["seconds"])
        records[entry["key"]] = Record(Status(entry["status"]), entry["score"], entry["message"], cost)
    return records


def _compute_missing(tasks: Sequence[_Task], output: Path, workers: int) -> dict[str, Record]:
    records = _read_records(output)
    missing = [task for task in tasks if task.key not in records]
    with output.open("a") as file, click.progressbar(_perform_all(missing, workers), length=len(missing)) as performed:
        for task, record in performed:
            records[task.key] = record
            entry = {"key": task.key, "status": record.status, "score": record.score, "message": record.message}
            file.write(json.dumps(entry | {"seconds": record.cost.seconds}) + "\n")
            file.flush()
    return records


@click.command()
@click.option("--samples", default=300, show_default=True, help="Number of cells.")
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder DIR."
)
@click.option("--evaluator", "-e", "texts", multiple=True, help="NAME or NAME:SETTING=VALUE.  [default: all zero-cost]")
@click.option("--seed", default=0, show_default=True, help="Decides initial weights and images.")
@click.option("--workers", default=1, show_default=True, help="Processes, each with one thread.")
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File of all scores.")
def main(samples: int, data: Path, texts: tuple[str, ...], seed: int, workers: int, output: Path) -> None:
    """Compare our scores with accuracies and with those of NAS-Bench-Suite-Zero."""
    cells = sample_cells(data, samples)
    chosen = [_split(text) for text in texts or [info.name for info in EVALUATORS]]
    tasks = [_Task(data, arch_id, name, seed, given) for name, given in chosen for arch_id in cells.index]
    records = _compute_missing(tasks, output, workers)
    oriented: dict[str, Floats] = {}
    for name, given in chosen:
        own = [records[_Task(data, arch_id, name, seed, given).key] for arch_id in cells.index]
        sign = installed_plugins().evaluator(name).info.direction.sign
        _print_agreement(measure_agreement(name, cells, own, sign), given)
        oriented[name] = sign * np.array([record.score for record in own])
    for name, scores in aggregate_scores(oriented).items():
        _print_agreement(measure_agreement(name, cells, [Record(Status.OK, score) for score in scores]), ())


def _split(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    name, _, settings = text.partition(":")
    pairs = (part.partition("=") for part in filter(None, settings.split(",")))
    return name, tuple((key, value) for key, _, value in pairs)


def _print_agreement(agreement: Agreement, given: Sequence[tuple[str, str]]) -> None:
    low, high = agreement.interval
    published = PUBLISHED_RHO.get(agreement.evaluator, math.nan)
    settings = ",".join(f"{key}={value}" for key, value in given)
    click.echo(
        f"{agreement.evaluator:20} {settings:12} n {agreement.n} (failed {agreement.failed})  "
        f"rho accuracy {agreement.rho_accuracy:.4f} [{low:.3f}, {high:.3f}]  published {published:.2f}  "
        f"rho reference {agreement.rho_reference:.4f}, its rho accuracy {agreement.rho_of_reference:.4f}  "
        f"{agreement.seconds:.2f} s"
    )


if __name__ == "__main__":
    main()
