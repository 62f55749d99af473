import numpy as np
import pytest
from nasbench_toolkit.core.statistics.ranks import RankedSide, average_ranks, centred_ranks, dense_ranks
from scipy import stats


@pytest.mark.parametrize("decimals", [3, 0], ids=["no-ties", "many-ties"])
def test_ranks_equal_scipy(decimals):
    values = np.random.default_rng(0).normal(size=50).round(decimals)
    assert average_ranks(values).tolist() == stats.rankdata(values).tolist()
    assert dense_ranks(values).tolist() == (stats.rankdata(values, "dense") - 1).tolist()
    assert centred_ranks(values).tolist() == (2 * stats.rankdata(values) - 51).tolist()


@pytest.mark.parametrize("precision", [np.float64, np.float32])
@pytest.mark.parametrize("decimals", [3, 0], ids=["no-ties", "many-ties"])
def test_ranks_within_a_resample_are_those_of_what_was_drawn(decimals, precision):
    generator = np.random.default_rng(1)
    values = generator.normal(size=30).round(decimals)
    drawn = generator.integers(30, size=30)
    counts = np.bincount(drawn, minlength=30).astype(precision)[:, None]
    ranks = RankedSide.of(values).centred_ranks(counts)[:, 0]
    assert ranks.dtype == np.float64
    assert ranks[drawn].tolist() == (2 * stats.rankdata(values[drawn]) - 31).tolist()
