import numpy as np
import pytest
import scipy.stats
from nasbench_toolkit.benchmarks_data.tables.repeats import noise_ceiling


def make_runs(rng, truth, most=3):
    """Train each row one to three times, with noise as large as a quarter of the differences."""
    runs = truth[:, None] + 0.5 * rng.normal(size=(len(truth), most))
    runs[np.arange(most) >= rng.integers(1, most + 1, len(truth))[:, None]] = np.nan
    return runs


def test_ceiling_is_the_correlation_with_a_table_of_other_runs() -> None:
    # Rows of 5,000 architectures, one to four of each; every architecture gets as many runs in the second making.
    rng = np.random.default_rng(1)
    starts = np.concatenate([[0], np.cumsum(rng.integers(1, 5, 4999))])
    num_rows = int(starts[-1]) + 2
    sizes = np.diff(starts, append=num_rows)
    truth = np.repeat(rng.normal(size=5000), sizes)
    runs = make_runs(rng, truth)
    again = np.where(np.isnan(runs), np.nan, truth[:, None] + 0.5 * rng.normal(size=runs.shape))
    tables = [np.add.reduceat(np.nanmean(each, axis=1), starts) / sizes for each in (runs, again)]
    expected = scipy.stats.spearmanr(*tables).statistic
    rows = rng.permutation(num_rows)
    back = np.argsort(rows)
    assert noise_ceiling(runs[rows], back, starts) == pytest.approx(expected, abs=0.01)


def test_ceiling_needs_repeats_of_half_of_the_architectures_and_of_thirty() -> None:
    rng = np.random.default_rng(2)
    runs = rng.normal(size=(100, 1)) + 0.1 * rng.normal(size=(100, 2))
    rows = np.arange(100)
    runs[:51, 1] = np.nan
    assert noise_ceiling(runs, rows, rows) is None
    runs[50, 1] = 0.0
    assert noise_ceiling(runs, rows, rows) is not None
    assert noise_ceiling(runs[71:], rows[:29], rows[:29]) is None


def test_ceiling_of_noise_alone_is_zero_or_small() -> None:
    runs = np.random.default_rng(3).normal(size=(1000, 2))
    rows = np.arange(1000)
    assert 0.0 <= noise_ceiling(runs, rows, rows) < 0.2
    assert noise_ceiling(np.ones((40, 2)), rows[:40], rows[:40]) == 0.0
