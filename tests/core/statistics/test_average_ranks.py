import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics.average_ranks import compare_over_spaces, nemenyi_difference
from scipy import stats


@pytest.mark.parametrize(
    ("evaluators", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)], ids=str
)
def test_nemenyi_difference_has_the_quantiles_of_the_published_table(evaluators, quantile):
    # Demsar 2006, table 5 (a).
    expected = quantile * math.sqrt(evaluators * (evaluators + 1) / (6 * 14))
    assert nemenyi_difference(evaluators, 14) == pytest.approx(expected, rel=5e-4)


def test_ranks_are_averaged_over_spaces_and_the_best_is_the_first():
    values = np.array([[0.9, 0.5, 0.7], [0.8, 0.8, 0.2]])
    compared = compare_over_spaces(values)
    assert compared.ranks == (1.25, 2.25, 2.5)
    assert (compared.spaces, compared.critical_difference) == (2, pytest.approx(nemenyi_difference(3, 2)))


def test_friedman_is_that_of_scipy():
    values = np.random.default_rng(0).normal(size=(6, 4)).round(1)
    compared = compare_over_spaces(values)
    expected = stats.friedmanchisquare(*values.T)
    assert (compared.friedman, compared.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_what_cannot_be_tested_is_none():
    assert compare_over_spaces(np.ones((3, 3))).friedman is None
    alone = compare_over_spaces(np.array([[0.1, 0.2, 0.3]]))
    assert (alone.ranks, alone.critical_difference, alone.friedman) == ((3.0, 2.0, 1.0), None, None)
    two = compare_over_spaces(np.array([[0.1, 0.2], [0.3, 0.1]]))
    assert (two.friedman, two.critical_difference is None) == (None, False)
