"""Scores NAS-Bench-201 cells with our evaluators and compares with accuracies and with scores made by others.

Run by hand from a checkout:

    python -m nasbench_toolkit.experiments.nasbench201_reference --samples 300 --data DIR

DIR holds ``cifar10/cifar-10-batches-py`` (official; whichever batches are there),
``nasbench201/nasbench201.csv.gz`` (a table with the columns ``architecture`` and ``cifar10/test_accuracy@200``) and
``reference_scores/nasbench201_cifar10_suite_zero.csv.gz`` (scores of NAS-Bench-Suite-Zero: a column
``architecture`` and one for each of its proxies).

The suite's ``flops`` also count normalisation, ReLU and pooling, which orders cells that tie in
multiply-adds: the ranks agree to 0.997, and adding those operations to ours gives the suite's numbers exactly
(see the tests).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch

from ..benchmarks_data.images.official_folder import OfficialFolder
from ..benchmarks_data.images.official_layouts import CIFAR10 as CIFAR10_LAYOUT
from ..core.descriptions import EvaluatorInfo
from ..core.domain import JobKey, Record, Status
from ..core.evaluation import JobRunner
from ..core.metrics import Coefficient, bootstrap_interval, spearman_rho
from ..core.settings import settings_hash
from ..plugins.datasets import CIFAR10
from ..plugins.evaluators.zero_cost import EVALUATORS
from ..plugins.search_spaces import NASBENCH201

ACCURACY = "cifar10/test_accuracy@200"
REFERENCE_COLUMNS = {"params": "params", "flops": "flops", "synflow": "synflow", "naswot": "nwot"}
SAMPLE_SEED = 2021


@dataclass(frozen=True)
class Agreement:
    """How the scores of one evaluator rank the cells.

    Attributes:
        evaluator: Its name.
        n: Number of cells it gave a score.
        failed: Number of cells without one, which are left out.
        rho_accuracy: Spearman's rho with CIFAR-10 test accuracy after 200 epochs.
        interval: 95 % bootstrap interval of that.
        rho_reference: Spearman's rho with the scores of NAS-Bench-Suite-Zero.
        seconds: Mean seconds of one score, building the network included.
    """

    evaluator: str
    n: int
    failed: int
    rho_accuracy: float
    interval: tuple[float, float]
    rho_reference: float
    seconds: float


def sample_cells(data: Path, count: int, seed: int = SAMPLE_SEED) -> pd.DataFrame:
    """Draw cells that have both an accuracy and reference scores; a smaller sample is the start of a larger
    one.

    Returns:
        One row a cell, indexed by its architecture string as the benchmark spells it: two spellings of a
        class may differ in edges that no output depends on, and with them in parameters.
    """
    accuracy = pd.read_csv(data / "nasbench201/nasbench201.csv.gz", index_col="architecture")[[ACCURACY]]
    reference = pd.read_csv(data / "reference_scores/nasbench201_cifar10_suite_zero.csv.gz", index_col="architecture")
    both = accuracy.join(reference, how="inner").sort_index()
    return both.iloc[np.random.default_rng(seed).permutation(len(both))[:count]]


def score_cells(
    data: Path, arch_ids: Sequence[str], evaluators: Sequence[EvaluatorInfo], seed: int = 0
) -> Iterator[tuple[str, dict[str, Record]]]:
    """Yield for each cell the records of all evaluators, computed on one thread from real CIFAR-10 images."""
    torch.set_num_threads(1)
    images = OfficialFolder(CIFAR10_LAYOUT, data / "cifar10/cifar-10-batches-py")
    runner = JobRunner(NASBENCH201.create(), CIFAR10, images, torch.device("cpu"))
    for arch_id in arch_ids:
        records = {}
        for info in evaluators:
            settings = info.settings()
            hashed = settings_hash(info.version, settings)
            key = JobKey(NASBENCH201.name, CIFAR10.name, arch_id, info.name, hashed, seed)
            records[info.name] = runner.run(key, info.create(settings))
        yield arch_id, records


def measure_agreement(name: str, cells: pd.DataFrame, records: Sequence[Record]) -> Agreement:
    """Compare one evaluator's records, in the order of ``cells``, with accuracies and reference scores."""
    ok = np.array([record.status is Status.OK for record in records])
    scores = np.array([record.score for record in records])[ok]
    accuracy = cells[ACCURACY].to_numpy()[ok]
    reference = cells[REFERENCE_COLUMNS[name]].to_numpy()[ok]
    interval = bootstrap_interval(Coefficient.SPEARMAN_RHO, scores, accuracy)
    return Agreement(
        evaluator=name,
        n=int(ok.sum()),
        failed=int((~ok).sum()),
        rho_accuracy=_number(spearman_rho(scores, accuracy)),
        interval=interval or (math.nan, math.nan),
        rho_reference=_number(spearman_rho(scores, reference)),
        seconds=float(np.mean([record.seconds.total for record in records])),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


@click.command()
@click.option("--samples", default=300, show_default=True, help="Number of cells.")
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder DIR."
)
@click.option("--seed", default=0, show_default=True, help="Decides initial weights and images.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="JSON file of all figures.")
def main(samples: int, data: Path, seed: int, output: Path | None) -> None:
    """Compare our zero-cost scores with accuracies and with those of NAS-Bench-Suite-Zero."""
    cells = sample_cells(data, samples)
    evaluators = [info for info in EVALUATORS if info.name in REFERENCE_COLUMNS]
    all_records: dict[str, list[Record]] = {info.name: [] for info in evaluators}
    for done, (_, records) in enumerate(score_cells(data, list(cells.index), evaluators, seed), start=1):
        for name, record in records.items():
            all_records[name].append(record)
        if done % 25 == 0:
            click.echo(f"{done}/{len(cells)} cells", err=True)
    agreements = [measure_agreement(name, cells, records) for name, records in all_records.items()]
    for agreement in agreements:
        low, high = agreement.interval
        click.echo(
            f"{agreement.evaluator:8} n {agreement.n} (failed {agreement.failed})  "
            f"rho accuracy {agreement.rho_accuracy:.4f} [{low:.4f}, {high:.4f}]  "
            f"rho reference {agreement.rho_reference:.4f}  {agreement.seconds:.2f} s"
        )
    if output is not None:
        scores = {name: [record.score for record in records] for name, records in all_records.items()}
        figures = {"agreements": [asdict(agreement) for agreement in agreements], "cells": list(cells.index)}
        output.write_text(json.dumps({**figures, "scores": scores}, indent=1))


if __name__ == "__main__":
    main()
