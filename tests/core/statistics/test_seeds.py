import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics.differences import Difference
from nasbench_toolkit.core.statistics.seeds import difference_over_seeds, spread_over_seeds
from scipy import stats


def test_variances_of_architectures_and_seeds_add_up_by_hand():
    # Resamples of the mean: .4 and .6 alternately, a variance of nearly .01; seeds: .4, .6, a variance of .02, halved.
    values, resampled = np.array([0.4, 0.6]), np.tile([[0.3, 0.5], [0.5, 0.7]], 500)
    spread = spread_over_seeds(values, resampled, 101)
    of_cells, of_seeds = resampled.mean(axis=0).var(ddof=1), 0.02 / 2
    freedom = (of_cells + of_seeds) ** 2 / (of_cells**2 / 100 + of_seeds**2)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(of_cells + of_seeds) / (1 - 0.5**2)
    assert spread.mean.value == pytest.approx(0.5)
    assert (spread.mean.low, spread.mean.high) == pytest.approx(
        (math.tanh(math.atanh(0.5) - half), math.tanh(math.atanh(0.5) + half))
    )
    assert (spread.deviation, spread.lowest, spread.highest, spread.seeds) == (pytest.approx(0.02**0.5), 0.4, 0.6, 2)


def test_one_seed_has_no_spread():
    assert spread_over_seeds(np.array([0.5]), np.full((1, 100), 0.5), 50) is None


def test_few_architectures_have_no_interval():
    spread = spread_over_seeds(np.array([0.4, 0.6]), np.full((2, 100), 0.5), 9)
    assert (spread.mean.value, spread.mean.low) == (pytest.approx(0.5), None)


def test_differences_are_paired_by_seed():
    # Fisher's z of both rises by seed alike: their difference does not vary, however much they do.
    first, second = (np.tanh(np.arctanh(0.5) + np.array(shifts)) for shifts in ([-0.2, 0.1, 0.4], [-0.3, 0.0, 0.3]))
    moved = np.random.default_rng(0).normal(0.5, 0.1, (3, 1_000))
    difference = difference_over_seeds((first, second), (np.tanh(moved), np.tanh(moved - 0.1)), 50)
    expected = float((first - second).mean())
    assert difference == Difference(*[pytest.approx(expected)] * 3, p=pytest.approx(0.0, abs=1e-9))
