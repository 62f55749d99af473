import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics.correlation import spearman_rho
from nasbench_toolkit.core.statistics.differences import Difference, holm, judge_difference, paired_difference
from nasbench_toolkit.core.statistics.resampling import Resampling, resampled_rho
from scipy import stats


def compare(first, second, truth):
    resampled = resampled_rho([first, second], truth, Resampling())
    values = spearman_rho(first, truth), spearman_rho(second, truth)
    return paired_difference(values, (resampled[0], resampled[1]), truth.size)


def test_a_difference_is_judged_by_students_t():
    difference = judge_difference(0.2, 0.1, 30)
    assert difference.p == pytest.approx(2 * stats.t.sf(2, 30))
    assert (difference.low, difference.high) == pytest.approx(
        (0.2 - stats.t.ppf(0.975, 30) / 10, 0.2 + stats.t.ppf(0.975, 30) / 10)
    )


def test_the_interval_excludes_no_difference_where_p_is_below_its_level():
    for statistic in (1.9, 2.0, 2.1, 2.2):
        difference = judge_difference(statistic, 1.0, 20)
        assert (difference.low > 0) == (difference.p < 0.05)


def test_a_pair_is_compared_more_sharply_than_two_samples(noisy_pair):
    first, truth = noisy_pair(100)
    second = first + 0.1 * np.random.default_rng(1).normal(size=100)
    paired = compare(first, second, truth)
    moved = resampled_rho([first, second], truth, Resampling())
    apart = math.sqrt(moved[0].var() + moved[1].var())
    assert paired.value == pytest.approx(spearman_rho(first, truth) - spearman_rho(second, truth))
    assert paired.high - paired.low < apart


def test_the_error_is_that_of_z_halfway_between_the_two(noisy_pair):
    first, truth = noisy_pair(100, correlation=0.9)
    second = first + np.random.default_rng(1).normal(size=100)
    moved = np.arctanh(resampled_rho([first, second], truth, Resampling()))
    rho = spearman_rho(first, truth), spearman_rho(second, truth)
    error = (moved[0] - moved[1]).std(ddof=1) * (1 - (sum(rho) / 2) ** 2)
    assert compare(first, second, truth) == judge_difference(rho[0] - rho[1], float(error), 99)


def test_equal_evaluators_do_not_differ(noisy_pair):
    scores, truth = noisy_pair(50)
    assert compare(scores, np.exp(scores), truth) == Difference(0.0, 0.0, 0.0, 1.0)


def test_what_is_not_defined_is_not_compared(noisy_pair):
    scores, truth = noisy_pair(50)
    assert compare(scores, np.zeros(50), truth) == Difference()
    few = compare(scores[:9], -scores[:9], truth[:9])
    assert few.value is not None
    assert (few.low, few.high, few.p) == (None, None, None)


def test_holm_by_hand():
    # 3 x .01, then 2 x .03, then .04, which must not fall below .06.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.02, None, 0.5]) == [0.04, None, 0.5]
    assert holm([]) == []
