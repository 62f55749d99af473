"""Checks of a table's columns that need no search space: ranges, units, something to store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...core.domain import Metric
from ...core.errors import DataError
from .metrics import QUANTITIES, parse_metric_key
from .raw import RawTable


def check_columns(path: Path, raw: RawTable) -> RawTable:
    """Check the columns of a table and put them in order; columns without a single value are left out with a note.

    Results on a test set come first, those of the longest training before others, costs last; within that, as in
    the file. The first column is the ground truth that reports use unless they are told otherwise.

    Raises:
        DataError: The table is empty, or a column has a value that its quantity cannot have.
    """
    if not len(raw.architectures):
        raise DataError(f"'{path}' has no rows. Get the file again, or check how it was made.")
    metrics = sorted((_parse(path, key) for key in raw.columns), key=metric_order)
    columns: dict[str, npt.NDArray[np.float64]] = {}
    empty = []
    for metric in metrics:
        values = raw.columns[metric.key]
        if np.isnan(values).all():
            empty.append(metric.key)
            continue
        _check_range(path, raw, metric, values)
        if not raw.percent_is_certain:
            _check_percent(path, metric, values)
        columns[metric.key] = values
    if not columns:
        raise DataError(f"'{path}' has no result at all: every metric is empty. Check how it was made.")
    notes = (f"Left out, because they have no value: {', '.join(empty)}.",) if empty else ()
    return replace(raw, columns=columns, notes=(*raw.notes, *notes))


def metric_order(metric: Metric) -> tuple[bool, int]:
    """Return the key by which metrics are sorted: the first one is the default."""
    return metric.split != "test", -(metric.epochs or 0)


def _parse(path: Path, key: str) -> Metric:
    try:
        return parse_metric_key(key)
    except DataError as error:
        raise DataError(f"'{path}': {error} Rename or remove the column.") from error


def _check_range(path: Path, raw: RawTable, metric: Metric, values: npt.NDArray[np.float64]) -> None:
    quantity = QUANTITIES[metric.quantity]
    wrong = quantity.impossible(values)
    if quantity.whole:
        wrong |= ~np.isnan(values) & (values != np.floor(values))
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    upper = f" and at most {quantity.maximum:g}" if np.isfinite(quantity.maximum) else ""
    kind = "a whole number" if quantity.whole else "a finite number"
    raise DataError(
        f"'{path}', {raw.row_name(row)}: {metric.key} is {values[row]:g}, expected {kind} in {metric.unit}, at least 0"
        f"{upper}. Correct it, or leave the cell empty if it was not measured."
    )


def _check_percent(path: Path, metric: Metric, values: npt.NDArray[np.float64]) -> None:
    if metric.unit == "percent" and np.nanmax(values) <= 1.0:
        raise DataError(
            f"'{path}': {metric.key} is at most {np.nanmax(values):g} in all rows, which looks like a fraction; "
            "accuracy is expected in percent. Multiply the column by 100."
        )
