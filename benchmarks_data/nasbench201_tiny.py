"""Reader of the embedded table `nasbench201-tiny`, and the layout that reader and writer share."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from ..core.errors import DataError
from ..core.statistics.correlation import spearman_rho
from ..core.statistics.reliability import stepped_up

TABLE_PATH = Path(__file__).with_name("nasbench201_tiny.csv.gz")
FORMAT_VERSION = 1
TEST_ACCURACY = "test_accuracy"
TEST_CROSS_ENTROPY = "test_cross_entropy"

_REMEDY = "Reinstall nasbench-toolkit, or make the table again as nasbench201_tiny.md describes."


@dataclass(frozen=True)
class TinyTable:
    """Test results of small NAS-Bench-201 networks, several training seeds each.

    Attributes:
        arch_ids: Canonical architecture strings, in the random order in which they were drawn.
        results: For `test_accuracy` (percent) and `test_cross_entropy` (nats) one row per architecture, one
            value per seed.
        mean_seconds: Processor seconds of one training, mean over the seeds, one value per architecture.
        description: The JSON file that accompanies the table: setting, seeds, versions, machine, date,
            command.
    """

    arch_ids: tuple[str, ...]
    results: dict[str, tuple[tuple[float, ...], ...]]
    mean_seconds: tuple[float, ...]
    description: dict[str, Any]

    @property
    def epochs(self) -> int:
        """Epochs of every training."""
        return int(self.description["setting"]["epochs"])

    @property
    def metric_names(self) -> tuple[str, str]:
        """`mnist/test_accuracy@EPOCHS` (percent) and `mnist/test_cross_entropy@EPOCHS` (nats)."""
        return f"mnist/{TEST_ACCURACY}@{self.epochs}", f"mnist/{TEST_CROSS_ENTROPY}@{self.epochs}"

    def values(self, metric: str) -> dict[str, float]:
        """Mean over the seeds for each architecture, in the metric's unit.

        Raises:
            DataError: If the table has no such metric.
        """
        rows = self._rows(metric)
        return {arch_id: fmean(row) for arch_id, row in zip(self.arch_ids, rows, strict=True)}

    def seed_reliability(self, metric: str) -> float:
        """Spearman correlation between two seeds over all architectures, mean over the pairs of seeds.

        Raises:
            DataError: If the table has no such metric.
        """
        by_seed = list(zip(*self._rows(metric), strict=True))
        # Undefined where all results of a seed are equal: nothing is reliable then.
        return fmean(spearman_rho(first, second) or 0.0 for first, second in combinations(by_seed, 2))

    def noise_ceiling(self, metric: str) -> float:
        """Reliability of the mean over the k seeds: rank correlation between seeds, stepped up to their mean.

        It estimates the correlation of this table with a second table made with k other seeds, so it bounds what
        another set of trainings can reach; see `stepped_up`.

        Raises:
            DataError: If the table has no such metric.
        """
        return stepped_up(self.seed_reliability(metric), len(self._rows(metric)[0]))

    def _rows(self, metric: str) -> tuple[tuple[float, ...], ...]:
        if metric not in self.metric_names:
            raise DataError(f"nasbench201-tiny has no metric {metric!r}; choose from {', '.join(self.metric_names)}.")
        return self.results[metric.removeprefix("mnist/").partition("@")[0]]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Position of each architecture in `arch_ids`."""
        return {arch_id: row for row, arch_id in enumerate(self.arch_ids)}


def column_names(seeds: Sequence[int]) -> list[str]:
    """Columns of the table for these training seeds."""
    accuracies = [f"{TEST_ACCURACY}_seed{seed}" for seed in seeds]
    cross_entropies = [f"{TEST_CROSS_ENTROPY}_seed{seed}" for seed in seeds]
    return ["architecture", *accuracies, *cross_entropies, "mean_seconds"]


def description_path(table_path: Path) -> Path:
    """Path of the JSON file that accompanies a table: `x.json` beside `x.csv.gz`."""
    return table_path.with_name(table_path.name.removesuffix(".csv.gz") + ".json")


def read_table(path: Path = TABLE_PATH) -> TinyTable:
    """Read and check a table and the JSON file beside it.

    Raises:
        DataError: If a file is missing, unreadable, altered, or not what its description says.
    """
    description = _read_description(description_path(path))
    content = _read_content(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != description["sha256"]:
        raise DataError(
            f"{path}: the content's SHA-256 is {digest}, expected {description['sha256']}: "
            f"the file was altered. {_REMEDY}"
        )
    return _parse_table(path, content.decode(), description)


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}). {_REMEDY}") from error
    missing = sorted({"format_version", "sha256", "rows", "seeds", "setting"} - description.keys())
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}. {_REMEDY}")
    if description["format_version"] != FORMAT_VERSION:
        raise DataError(
            f"{path}: format version {description['format_version']}, this program reads {FORMAT_VERSION}. {_REMEDY}"
        )
    return description


def _read_content(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read()
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read as gzip ({error}). {_REMEDY}") from error


def _parse_table(path: Path, text: str, description: dict[str, Any]) -> TinyTable:
    header, *rows = csv.reader(io.StringIO(text))
    seeds = description["seeds"]
    if header != column_names(seeds):
        raise DataError(f"{path}: columns are {header}, expected {column_names(seeds)}. {_REMEDY}")
    if len(rows) != description["rows"]:
        raise DataError(f"{path}: {len(rows)} rows, expected {description['rows']}. {_REMEDY}")
    arch_ids = tuple(row[0] for row in rows)
    if len(set(arch_ids)) != len(arch_ids):
        raise DataError(f"{path}: an architecture has two rows. {_REMEDY}")
    try:
        numbers = [tuple(float(cell) for cell in row[1:]) for row in rows]
    except ValueError as error:
        raise DataError(f"{path}: {error}. {_REMEDY}") from error
    k = len(seeds)
    results = {
        TEST_ACCURACY: tuple(row[:k] for row in numbers),
        TEST_CROSS_ENTROPY: tuple(row[k : 2 * k] for row in numbers),
    }
    return TinyTable(arch_ids, results, tuple(row[-1] for row in numbers), description)
