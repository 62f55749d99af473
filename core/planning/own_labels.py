"""Makes a column of ground truth of the user's own labels."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..domain import Metric
from ..errors import UsageError
from ..interfaces import SearchSpace
from ..plan import GroundTruthColumn
from .labelled import read_labelled

OWN = "own"
"""Stands for the data set in the key of such a metric."""

_NOT_IN_KEYS = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class LabelFile:
    """A file of labels, and what the user says of it.

    Attributes:
        path: The CSV.
        label: Column of the labels, None for the first that does not number the rows.
        lower_is_better: Direction, None if the space's table or the name of the column tells it.
    """

    path: Path
    label: str | None = None
    lower_is_better: bool | None = None


@dataclass(frozen=True)
class OwnLabels:
    """The user's own labels as ground truth.

    Attributes:
        metric: What they are.
        labels: By canonical string.
        source: Name and digest of the file.
    """

    metric: Metric
    labels: Mapping[str, float]
    source: str

    def column(self, arch_ids: Sequence[str]) -> GroundTruthColumn:
        """Return the labels of some architectures, NaN where there is none."""
        values = tuple(self.labels.get(arch_id, math.nan) for arch_id in arch_ids)
        return GroundTruthColumn(self.metric, values, noise_ceiling=None, source=self.source)


def read_own_labels(file: LabelFile, space: SearchSpace, dataset: str) -> OwnLabels:
    """Read the user's own labels of architectures of a space.

    Args:
        file: The file, and what the user says of it.
        space: The search space.
        dataset: Data set of the run, which completes the name of a metric.

    Raises:
        UsageError: See :func:`read_labelled`.
    """
    labelled = read_labelled(
        file.path, space, dataset, label=file.label, lower_is_better=file.lower_is_better, option="--labels"
    )
    digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
    return OwnLabels(
        Metric(OWN, "", _NOT_IN_KEYS.sub("_", labelled.label), None, labelled.direction, ""),
        dict(zip(labelled.arch_ids, labelled.labels, strict=True)),
        f"{file.path.name}, SHA-256 {digest[:16]}",
    )


def check_one_truth(labels: LabelFile | None, metric: str | None) -> None:
    """Check that there is one thing to compare with.

    Raises:
        UsageError: Labels are given, and a metric of the table is named beside them.
    """
    if labels and metric:
        raise UsageError(
            "--labels brings the performance to compare with, and --metric names that of the table: give one of them. "
            "'nasbench report' compares with either later."
        )


def require_labels(column: GroundTruthColumn) -> GroundTruthColumn:
    """Return the labels of a run's architectures.

    Raises:
        UsageError: None of them has one.
    """
    if all(map(math.isnan, column.values)):
        raise UsageError(
            f"There is no label in {column.source} for any of the {len(column.values)} architectures. Give the labels "
            "of these, or leave --labels out."
        )
    return column
