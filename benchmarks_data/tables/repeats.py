"""How reliable a table's values are, from the runs that they are means of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...core.statistics.reliability import run_reliability, stepped_up

MOST_RUNS = 4
"""Runs of a row that are kept; no benchmark has more than three."""

MIN_ARCHITECTURES = 30
MIN_SHARE = 0.5
"""Of the architectures that have a value, those with two runs. Where fewer have, they may be of a kind of their own,
such as NAS-Bench-201's cells with dead parts, which alone are one network with others. Ours, both."""

Runs = npt.NDArray[np.floating]


def noise_ceiling(runs: Runs, rows: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> float | None:
    """Return the rank correlation between the table and one made of other runs, None if too few were repeated.

    Args:
        runs: Results of each row's runs, shape ``(rows, runs)``, NaN where there are fewer.
        rows: Which of them make the table, those of one architecture side by side.
        starts: Where each architecture begins in ``rows``.

    Returns:
        A number from 0 to 1.
    """
    present = ~np.isnan(runs[rows])
    architecture = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    counts = present.sum(axis=1)
    num_runs = np.bincount(architecture, counts, len(starts))
    measured, repeated = np.count_nonzero(num_runs), np.count_nonzero(num_runs > 1)
    if repeated < max(MIN_ARCHITECTURES, MIN_SHARE * measured):
        return None
    of_run = np.broadcast_to(architecture[:, None], present.shape)[present]
    reliability = run_reliability(of_run, runs[rows][present].astype(np.float64))
    if reliability is None or reliability <= 0.0:
        return 0.0
    # The value of an architecture is the mean of its rows, each of them the mean of its runs.
    has_run = counts > 0
    variances = np.bincount(architecture[has_run], 1.0 / counts[has_run], len(starts))
    num_rows = np.bincount(architecture[has_run], minlength=len(starts))
    there = num_rows > 0
    mean_variance = float(np.mean(variances[there] / num_rows[there] ** 2))
    return stepped_up(reliability, 1.0 / mean_variance)
