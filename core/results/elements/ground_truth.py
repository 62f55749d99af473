"""The ground truth of a results file: a column of trained performance for each metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

import h5py
import numpy as np

from ...domain import Direction, Metric
from ...hdf5.stored import StoredArray, StoredGroup
from ...hdf5.writing import create_group, write_attributes
from ...plan import GroundTruthColumn
from .arrays import read_numbers, write_numbers
from .encoding import Encoding, by_position, member_name, read_number, read_text, read_whole_number

ENCODING = Encoding("nasbench-ground-truth", 1)
COLUMN = Encoding("nasbench-ground-truth-column", 1)
NAME = "ground_truth"

# Stands for the epochs of a metric that has none.
NO_EPOCHS = -1


def write_ground_truth(file: h5py.Group, columns: Sequence[GroundTruthColumn]) -> None:
    """Write columns in their order."""
    group = create_group(file, NAME)
    ENCODING.mark(group)
    for position, column in enumerate(columns):
        _write_column(group, position, column)


def read_ground_truth(file: StoredGroup, count: int) -> tuple[GroundTruthColumn, ...]:
    """Return the columns, with ``count`` values each."""
    group = file.group(NAME)
    ENCODING.check(group)
    return tuple(_read_column(array, count) for array in by_position(group.arrays()))


def _write_column(group: h5py.Group, position: int, column: GroundTruthColumn) -> None:
    metric = column.metric
    dataset = write_numbers(group, member_name(group, metric.key), np.asarray(column.values, float))
    COLUMN.mark(dataset)
    write_attributes(
        dataset,
        key=metric.key, position=position, dataset=metric.dataset, split=metric.split,
        quantity=metric.quantity, epochs=NO_EPOCHS if metric.epochs is None else metric.epochs,
        direction=str(metric.direction), unit=metric.unit, reduction=metric.reduction, source=column.source,
        noise_ceiling=math.nan if column.noise_ceiling is None else column.noise_ceiling,
    )  # fmt: skip


def _read_column(array: StoredArray, count: int) -> GroundTruthColumn:
    COLUMN.check(array)
    attrs = array.attrs
    epochs = read_whole_number(attrs, "epochs")
    metric = Metric(
        dataset=read_text(attrs, "dataset"),
        split=read_text(attrs, "split"),
        quantity=read_text(attrs, "quantity"),
        epochs=None if epochs == NO_EPOCHS else epochs,
        direction=Direction(read_text(attrs, "direction")),
        unit=read_text(attrs, "unit"),
        reduction=read_text(attrs, "reduction"),
    )
    if metric.key != read_text(attrs, "key"):
        raise ValueError(f"'{array.name}' has a key that is not that of its metric")
    ceiling = read_number(attrs, "noise_ceiling")
    values = tuple(read_numbers(array, count).tolist())
    return GroundTruthColumn(metric, values, None if math.isnan(ceiling) else ceiling, read_text(attrs, "source"))
