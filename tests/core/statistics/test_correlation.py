import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics.correlation import kendall_tau, pearson_r, spearman_rho, weighted_tau
from scipy import stats

CORRELATIONS = [spearman_rho, kendall_tau, pearson_r, weighted_tau]


@pytest.mark.parametrize("decimals", [None, 1, 0], ids=["no-ties", "some-ties", "many-ties"])
@pytest.mark.parametrize("n", [2, 3, 17, 400])
def test_correlations_equal_scipy(noisy_pair, n, decimals):
    scores, truth = noisy_pair(n, decimals=decimals, seed=n)
    if n == 2:
        scores, truth = np.array([0.1, 0.2]), np.array([3.0, 1.0])
    assert spearman_rho(scores, truth) == pytest.approx(stats.spearmanr(scores, truth).statistic, abs=1e-12)
    assert kendall_tau(scores, truth) == pytest.approx(stats.kendalltau(scores, truth).statistic, abs=1e-12)
    assert pearson_r(scores, truth) == pytest.approx(stats.pearsonr(scores, truth).statistic, abs=1e-12)
    assert weighted_tau(scores, truth) == pytest.approx(stats.weightedtau(scores, truth).statistic, abs=1e-12)


def test_kendall_tau_counts_ties_by_hand():
    # Pair 12 tied in scores only, 34 in truth only; 13 14 23 24 concordant: 4 / sqrt((4 + 1) (4 + 1)) = 0.8.
    assert kendall_tau([1, 1, 2, 3], [1, 2, 3, 3]) == pytest.approx(0.8)


def test_spearman_rho_averages_tied_ranks_by_hand():
    # Ranks 1.5 1.5 3 4 and 1 2 3.5 3.5. Products of deviations 1.5 + 0.5 + 0.5 + 1.5 = 4, squares 4.5 each.
    assert spearman_rho([1, 1, 2, 3], [1, 2, 3, 3]) == pytest.approx(4.0 / 4.5)


@pytest.mark.parametrize("correlate", [spearman_rho, kendall_tau])
def test_correlations_are_exactly_one_for_equal_and_reversed_rankings(correlate):
    scores = np.random.default_rng(3).normal(size=61)
    assert correlate(scores, np.exp(scores)) == 1.0
    assert correlate(scores, -scores) == -1.0


@pytest.mark.parametrize("correlate", CORRELATIONS)
@pytest.mark.parametrize(
    ("scores", "truth"),
    [([1.0, 1.0, 1.0], [1, 2, 3]), ([1, 2, 3], [0.3, 0.3, 0.3]), ([1.0], [2.0]), ([], [])],
    ids=["constant-score", "constant-truth", "one-item", "no-item"],
)
def test_correlations_are_undefined(correlate, scores, truth):
    assert correlate(scores, truth) is None


@pytest.mark.parametrize("correlate", CORRELATIONS)
@pytest.mark.parametrize(
    ("scores", "truth", "message"),
    [
        ([1, 2], [1, 2, 3], r"got \(2,\) and \(3,\)"),
        ([[1, 2]], [[1, 2]], r"shape \(n,\), got \(1, 2\)"),
        ([1, math.nan], [1, 2], "Expected no NaN"),
        ([1, 2], [1, math.nan], "Expected no NaN"),
    ],
    ids=["lengths", "dimensions", "nan-score", "nan-truth"],
)
def test_correlations_refuse_unfit_sides(correlate, scores, truth, message):
    with pytest.raises(ValueError, match=message):
        correlate(scores, truth)


def test_pearson_r_of_large_scores_does_not_overflow():
    scores = np.array([1e200, 2e200, 3e200, 5e200])
    assert pearson_r(scores, [1, 2, 3, 5]) == pytest.approx(1.0)


def test_pearson_r_is_undefined_where_a_score_is_infinite():
    assert pearson_r([-math.inf, 1, 2], [1, 2, 3]) is None


def test_weighted_tau_weighs_exchanges_among_the_best_more():
    truth = np.arange(10.0)
    best_two, worst_two = truth.copy(), truth.copy()
    best_two[[8, 9]], worst_two[[0, 1]] = best_two[[9, 8]], worst_two[[1, 0]]
    assert weighted_tau(best_two, truth) < weighted_tau(worst_two, truth) < 1


def test_weighted_tau_ranks_failures_below_every_score():
    assert weighted_tau([-math.inf, -math.inf, 1, 2], [1, 2, 3, 4]) == pytest.approx(
        stats.weightedtau([0, 0, 1, 2], [1, 2, 3, 4]).statistic
    )
