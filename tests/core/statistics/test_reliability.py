import numpy as np
import pytest
import scipy.stats
from nasbench_toolkit.core.statistics.reliability import run_reliability, stepped_up


def test_reliability_of_two_runs_each_is_their_rank_correlation() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=50)
    second = first + rng.normal(size=50)
    # Architectures in any order, one of them with a single run.
    architectures, results = np.array([*range(50), *range(50), 50]), np.array([*first, *second, 9.0])
    order = rng.permutation(101)
    found = run_reliability(architectures[order], results[order])
    swapped = [scipy.stats.spearmanr(*np.where(rng.random(50) < 0.5, (first, second), (second, first))).statistic
               for _ in range(400)]  # fmt: skip
    assert found == pytest.approx(np.mean(swapped), abs=0.01)
    assert found == run_reliability(architectures[order], results[order])


def test_reliability_is_undefined_without_two_runs_or_variation() -> None:
    assert run_reliability(np.array([0, 1, 2]), np.array([1.0, 2.0, 3.0])) is None
    assert run_reliability(np.array([0, 0, 1, 1]), np.ones(4)) is None


def test_stepping_up_is_spearman_and_browns_formula() -> None:
    assert stepped_up(0.6, 1) == pytest.approx(0.6)
    assert stepped_up(0.6, 3) == pytest.approx(1.8 / 2.2)
