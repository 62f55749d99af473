import math

import numpy as np
import pytest
from nasbench_toolkit.core.metrics import (
    Coefficient,
    FailurePolicy,
    apply_failure_policy,
    bootstrap_interval,
    count_ties,
    kendall_tau,
    retrieving_rate,
    spearman_rho,
)
from nasbench_toolkit.core.rank_correlation import dense_ranks, rho_of_resamples, tau_of_resamples
from scipy import stats


def noisy_pair(n, *, decimals=None, seed=0, correlation=0.6):
    """Draw a bivariate normal sample, rounded where ties are wanted."""
    generator = np.random.default_rng(seed)
    first = generator.normal(size=n)
    second = correlation * first + math.sqrt(1 - correlation**2) * generator.normal(size=n)
    return (first, second) if decimals is None else (first.round(decimals), second.round(decimals))


@pytest.mark.parametrize("decimals", [None, 1, 0], ids=["no-ties", "some-ties", "many-ties"])
@pytest.mark.parametrize("n", [2, 3, 50, 400])
def test_correlations_equal_scipy(n, decimals):
    scores, truth = noisy_pair(n, decimals=decimals, seed=n)
    if n == 2:
        scores, truth = np.array([0.1, 0.2]), np.array([3.0, 1.0])
    assert spearman_rho(scores, truth) == pytest.approx(stats.spearmanr(scores, truth).statistic, abs=1e-12)
    assert kendall_tau(scores, truth) == pytest.approx(stats.kendalltau(scores, truth).statistic, abs=1e-12)


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


@pytest.mark.parametrize("correlate", [spearman_rho, kendall_tau])
@pytest.mark.parametrize(
    ("scores", "truth"),
    [([1.0, 1.0, 1.0], [1, 2, 3]), ([1, 2, 3], [0.3, 0.3, 0.3]), ([1.0], [2.0]), ([], [])],
    ids=["constant-score", "constant-truth", "one-item", "no-item"],
)
def test_correlations_are_undefined(correlate, scores, truth):
    assert correlate(scores, truth) is None


@pytest.mark.parametrize("correlate", [spearman_rho, kendall_tau])
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


@pytest.mark.parametrize("decimals", [None, 1, 0], ids=["no-ties", "some-ties", "many-ties"])
@pytest.mark.parametrize("n", [3, 40, 2_100], ids=["tiny", "small", "several-blocks-of-pairs"])
def test_resampled_correlations_equal_scipy_on_the_drawn_pairs(n, decimals):
    scores, truth = noisy_pair(n, decimals=decimals)
    drawn = np.random.default_rng(5).integers(n, size=(20, n))
    counts = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(np.float64)
    ranks = dense_ranks(scores), dense_ranks(truth)
    with np.errstate(all="ignore"):
        expected_rho = [_scipy(stats.spearmanr, scores[row], truth[row]) for row in drawn]
        expected_tau = [_scipy(stats.kendalltau, scores[row], truth[row]) for row in drawn]
    np.testing.assert_allclose(rho_of_resamples(counts, *ranks), expected_rho, rtol=0, atol=1e-12)
    np.testing.assert_allclose(tau_of_resamples(counts, *ranks), expected_tau, rtol=0, atol=1e-12)


def _scipy(correlate, scores, truth):
    constant = np.ptp(scores) == 0 or np.ptp(truth) == 0
    return math.nan if constant else correlate(scores, truth).statistic


@pytest.mark.parametrize("coefficient", list(Coefficient))
def test_bootstrap_interval_equals_resampling_pair_by_pair(coefficient):
    scores, truth = noisy_pair(30, decimals=1)
    correlate = stats.spearmanr if coefficient is Coefficient.SPEARMAN_RHO else stats.kendalltau
    drawn = np.random.default_rng(7).integers(30, size=(200, 30))
    values = [correlate(scores[row], truth[row]).statistic for row in drawn]
    expected = np.percentile(values, [5, 95])
    interval = bootstrap_interval(coefficient, scores, truth, resamples=200, level=0.9, seed=7)
    assert interval == pytest.approx(tuple(expected), abs=1e-12)


def test_bootstrap_interval_is_the_same_each_time_and_depends_on_the_seed():
    scores, truth = noisy_pair(50)
    first = bootstrap_interval(Coefficient.KENDALL_TAU, scores, truth)
    assert first == bootstrap_interval(Coefficient.KENDALL_TAU, scores, truth)
    assert first != bootstrap_interval(Coefficient.KENDALL_TAU, scores, truth, seed=1)


@pytest.mark.parametrize(
    ("coefficient", "true_value"),
    [
        (Coefficient.SPEARMAN_RHO, 6 / math.pi * math.asin(0.6 / 2)),
        (Coefficient.KENDALL_TAU, 2 / math.pi * math.asin(0.6)),
    ],
    ids=["rho", "tau"],
)
def test_bootstrap_interval_covers_the_true_value_of_a_bivariate_normal(coefficient, true_value):
    covered = 0
    for seed in range(200):
        low, high = bootstrap_interval(coefficient, *noisy_pair(60, seed=seed, correlation=0.6))
        covered += low <= true_value <= high
    # 95 % of 200 with three standard errors, and one per cent for the percentile method at n = 60.
    assert 0.89 <= covered / 200 <= 0.99


@pytest.mark.parametrize("n", [117, 500, 1000])
def test_bootstrap_interval_has_the_width_of_large_sample_theory(n):
    # Bonett & Wright 2000: the Fisher transform of rho has variance (1 + rho^2 / 2) / (n - 3).
    scores, truth = noisy_pair(n, correlation=0.8, seed=1)
    low, high = bootstrap_interval(Coefficient.SPEARMAN_RHO, scores, truth)
    rho = spearman_rho(scores, truth)
    half = 1.96 * math.sqrt((1 + rho**2 / 2) / (n - 3))
    expected = math.tanh(math.atanh(rho) + half) - math.tanh(math.atanh(rho) - half)
    assert high - low == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(
    ("scores", "truth"),
    [([1, 2], [1, 2]), ([1], [1]), ([0] * 19 + [1], list(range(20))), ([1, 1, 1, 1], [1, 2, 3, 4])],
    ids=["two-items", "one-item", "one-item-differs", "constant"],
)
def test_bootstrap_interval_is_undefined_when_many_resamples_are_constant(scores, truth):
    assert bootstrap_interval(Coefficient.SPEARMAN_RHO, scores, truth) is None


def test_bootstrap_interval_drops_few_constant_resamples():
    # A resample of 5 distinct items is constant with probability 5 / 5**5 = 0.16 %.
    truth = [1, 2, 3, 4, 5]
    assert bootstrap_interval(Coefficient.SPEARMAN_RHO, truth, truth, resamples=5_000) == (1.0, 1.0)


def test_retrieving_rate_counts_the_common_top():
    retrieval = retrieving_rate([5, 4, 3, 2, 1, 0], [9, 1, 8, 7, 0, 2], top_k=3)
    assert (retrieval.rate, retrieval.k, retrieval.tied) == (pytest.approx(2 / 3), 3, False)


def test_retrieving_rate_equals_the_mean_over_all_tie_breaks():
    scores, truth, k = [2, 1, 1, 1, 0], [1, 3, 2, 2, 2], 2
    # Score top: item 0 and one of 1, 2, 3. True top: item 1 and one of 2, 3, 4. All 9 pairs of choices alike.
    overlaps = [len({0, first} & {1, second}) / k for first in (1, 2, 3) for second in (2, 3, 4)]
    retrieval = retrieving_rate(scores, truth, top_k=k)
    assert retrieval.rate == pytest.approx(np.mean(overlaps))
    assert retrieval.tied


def test_retrieving_rate_of_a_constant_score_is_the_random_baseline():
    assert retrieving_rate(np.zeros(40), np.arange(40), top_fraction=0.1).rate == pytest.approx(0.1)


@pytest.mark.parametrize(("n", "fraction", "k"), [(100, 0.1, 10), (4, 0.1, 1), (500, 0.05, 25), (7, 1.0, 7)], ids=str)
def test_retrieving_rate_rounds_the_fraction_to_at_least_one(n, fraction, k):
    retrieval = retrieving_rate(np.arange(n), np.arange(n), top_fraction=fraction)
    assert (retrieval.rate, retrieval.k, retrieval.tied) == (1.0, k, False)


def test_retrieving_rate_of_nothing_is_undefined():
    assert retrieving_rate([], [], top_k=1) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "got both or none"),
        ({"top_k": 1, "top_fraction": 0.5}, "got both or none"),
        ({"top_k": 4}, "from 1 to the number of architectures, 3; got 4"),
        ({"top_k": 0}, "got 0"),
        ({"top_fraction": 0.0}, "above 0 and at most 1, got 0.0"),
        ({"top_fraction": 1.5}, "got 1.5"),
    ],
    ids=["none", "both", "too-many", "zero", "zero-fraction", "large-fraction"],
)
def test_retrieving_rate_refuses_unfit_sizes(options, message):
    with pytest.raises(ValueError, match=message):
        retrieving_rate([1, 2, 3], [1, 2, 3], **options)


def test_failure_policy_worst_shares_the_average_of_the_bottom_ranks():
    scores, kept = apply_failure_policy([3.0, math.nan, 1.0, math.nan], [True, False, True, False], FailurePolicy.WORST)
    assert kept.all()
    assert stats.rankdata(scores).tolist() == [4.0, 1.5, 3.0, 1.5]


def test_failure_policy_worst_lowers_rho_by_hand():
    scores, _ = apply_failure_policy([math.nan, 1, 2, 3], [False, True, True, True], FailurePolicy.WORST)
    # Ranks 1 2 3 4 against 4 1 2 3: 1 - 6 * (9 + 1 + 1 + 1) / (4 * 15) = -0.2.
    assert spearman_rho(scores, [4, 1, 2, 3]) == pytest.approx(-0.2)


@pytest.mark.parametrize("policy", [FailurePolicy.OMIT, "omit"], ids=["member", "text"])
def test_failure_policy_omit_drops_failures(policy):
    scores, kept = apply_failure_policy([3.0, math.nan, 1.0], [True, False, True], policy)
    assert scores.tolist() == [3.0, 1.0]
    assert kept.tolist() == [True, False, True]


def test_failure_policy_unknown_is_refused():
    with pytest.raises(ValueError, match="'best' is not a valid FailurePolicy"):
        apply_failure_policy([1.0], [True], "best")


@pytest.mark.parametrize(
    ("values", "ties"),
    [([], 0), ([1, 2, 3], 0), ([1, 1, 2], 2), ([1, 1, 2, 2, 2, 3], 5), ([0.0, -0.0], 2)],
    ids=["nothing", "distinct", "a-pair", "two-groups", "signed-zero"],
)
def test_count_ties_counts_items_that_share_a_value(values, ties):
    assert count_ties(values) == ties
