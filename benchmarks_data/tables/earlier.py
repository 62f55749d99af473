"""A table beside an earlier one of the same search space, whose results on other data sets stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...core.domain import Metric
from .checks import metric_order
from .merge import TableRows
from .metrics import parse_metric_key
from .store import StoredTable


def add_earlier(rows: TableRows, earlier: StoredTable | None) -> TableRows:
    """Return the rows of both tables: columns of the earlier one count where the new one has no such data set.

    Test results of the longest training stay first, as :func:`.checks.check_columns` puts them, and among these the
    first data set by name.

    Raises:
        DataError: The earlier table is damaged.
    """
    if earlier is None:
        return rows
    datasets = {parse_metric_key(key).dataset for key in rows.columns}
    kept = [metric for metric in earlier.metrics if metric.dataset not in datasets]
    replaced = [metric for metric in earlier.metrics if metric.dataset in datasets]
    rows = replace(rows, notes=(*rows.notes, *_note("Kept", earlier, kept), *_note("Replaced", earlier, replaced)))
    if not kept:
        return rows
    arch_ids = sorted({*rows.arch_ids, *earlier.arch_ids}, key=str.encode)
    place = {arch_id: index for index, arch_id in enumerate(arch_ids)}
    columns = {
        key: _spread(values, [place[arch_id] for arch_id in rows.arch_ids], len(arch_ids))
        for key, values in rows.columns.items()
    }
    columns |= {metric.key: np.array(earlier.values(metric, arch_ids)) for metric in kept}
    # What only a data set that was replaced had goes with it.
    measured = ~np.all([np.isnan(values) for values in columns.values()], axis=0)
    merged = np.ones(len(arch_ids), np.int32)
    merged[[place[arch_id] for arch_id in rows.arch_ids]] = rows.rows_merged
    by_key = {key: parse_metric_key(key) for key in columns}
    ordered = sorted(by_key, key=lambda key: (*metric_order(by_key[key]), by_key[key].dataset))
    return replace(
        rows,
        arch_ids=[arch_id for arch_id, has_value in zip(arch_ids, measured, strict=True) if has_value],
        columns={key: columns[key][measured] for key in ordered},
        rows_merged=merged[measured],
        noise_ceilings={**rows.noise_ceilings, **_ceilings(earlier, kept)},
        reduction=" or ".join(dict.fromkeys(filter(None, (rows.reduction, kept[0].reduction)))),
    )


def _note(fate: str, earlier: StoredTable, metrics: Sequence[Metric]) -> tuple[str, ...]:
    datasets = ", ".join(sorted({metric.dataset for metric in metrics}))
    return (f"{fate} from '{earlier.imported_from}': results on {datasets}.",) if datasets else ()


def _ceilings(earlier: StoredTable, kept: list[Metric]) -> dict[str, float]:
    found = {metric.key: earlier.noise_ceiling(metric) for metric in kept}
    return {key: ceiling for key, ceiling in found.items() if ceiling is not None}


def _spread(values: npt.NDArray[np.float64], places: list[int], length: int) -> npt.NDArray[np.float64]:
    spread = np.full(length, np.nan)
    spread[places] = values
    return spread
