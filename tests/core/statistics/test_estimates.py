import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics.estimates import Estimate, bootstrapped, estimate_rho, estimate_tau
from nasbench_toolkit.core.statistics.influence import rho_influence
from nasbench_toolkit.core.statistics.resampling import Resampling, resampled_rho
from scipy import stats


def test_rho_has_the_interval_that_scipy_leads_to(noisy_pair):
    """BCa as SciPy's, with the influence function in the place of its jackknife and one more percentile at each end."""
    scores, truth = noisy_pair(40, decimals=1)
    (rho,) = estimate_rho([scores], truth, Resampling(9_999))
    outer = stats.norm.cdf(math.sqrt(40 / 39) * stats.t.ppf(0.975, 39))
    scipy = stats.bootstrap(
        (scores, truth), lambda first, second: stats.spearmanr(first, second).statistic, paired=True, vectorized=False,
        method="BCa", n_resamples=2_000, confidence_level=2 * outer - 1, random_state=0,
    )  # fmt: skip
    low, high = scipy.confidence_interval
    # Both have the error of their resamples: about a thirtieth of the interval at each end.
    assert rho.low == pytest.approx(low, abs=0.05 * (high - low))
    assert rho.high == pytest.approx(high, abs=0.05 * (high - low))


def test_bootstrapped_by_hand():
    # No bias, no acceleration, many architectures: the plain percentiles.
    resampled = np.linspace(-1, 1, 1_001)
    estimate = bootstrapped(0.0, resampled, 10**9)
    assert (estimate.low, estimate.high) == pytest.approx((-0.95, 0.95), abs=1e-6)
    # 97.7 % of the resamples lie below: the bias is 2, and the ends move by twice that.
    biased = bootstrapped(float(np.quantile(resampled, stats.norm.cdf(2))), resampled, 10**9)
    assert biased.low == pytest.approx(2 * stats.norm.cdf(4 - 1.959964) - 1, abs=1e-3)
    # Influences of 2, -1 and -1 have squares of 6 and cubes of 6 in all: the acceleration is 6 / (6 * 6**1.5).
    skewed = bootstrapped(0.0, resampled, 10**9, np.array([2.0, -1.0, -1.0]))
    ends = (end / (1 - 6**-1.5 * end) for end in (-1.959964, 1.959964))
    assert (skewed.low, skewed.high) == pytest.approx([2 * stats.norm.cdf(end) - 1 for end in ends], abs=1e-4)
    # Ten architectures: ends are as far out as Student's t with 9 degrees of freedom (2.262157), and by root 10/9 more.
    few = bootstrapped(0.0, resampled, 10)
    expected = 2 * stats.norm.cdf(math.sqrt(10 / 9) * 2.262157) - 1
    assert (few.low, few.high) == pytest.approx((-expected, expected), abs=1e-4)


@pytest.mark.parametrize("n", [117, 500, 1_000])
def test_intervals_have_the_width_of_large_sample_theory(noisy_pair, n):
    # Bonett & Wright 2000: Fisher's z of rho has the variance (1 + rho^2 / 2) / (n - 3), that of tau .437 / (n - 4).
    scores, truth = noisy_pair(n, correlation=0.8, seed=1)
    (rho,), tau = estimate_rho([scores], truth, Resampling()), estimate_tau(scores, truth)
    for estimate, variance in ((rho, (1 + rho.value**2 / 2) / (n - 3)), (tau, 0.437 / (n - 4))):
        half, z = 1.96 * math.sqrt(variance), math.atanh(estimate.value)
        assert estimate.high - estimate.low == pytest.approx(math.tanh(z + half) - math.tanh(z - half), rel=0.25)


def test_tau_of_few_architectures_has_the_error_of_its_definition():
    # Without ties an architecture moves tau by 2 (b - mean b) / (n - 1), b its concordant less its discordant pairs; n
    # such influences have a sample variance, the mean of n of them an nth of it.
    truth = np.array([3, 1, 4, 2, 6, 5, 9, 7, 12, 8, 10, 11], np.float64)
    n, positions = 12, np.arange(12.0)
    signs = np.sign(truth[:, None] - truth) * np.sign(positions[:, None] - positions)
    error = math.sqrt(np.var(2 * signs.sum(axis=1) / (n - 1), ddof=1) / n)
    estimate = estimate_tau(positions, truth)
    assert estimate.value == pytest.approx(signs.sum() / (n * (n - 1)))
    # Student's t with 11 degrees of freedom.
    half = 2.2009852 * error / (1 - estimate.value**2)
    assert math.atanh(estimate.high) - math.atanh(estimate.value) == pytest.approx(half, rel=1e-6)
    assert math.atanh(estimate.value) - math.atanh(estimate.low) == pytest.approx(half, rel=1e-6)


def test_tau_has_the_variance_of_its_jackknife(noisy_pair):
    scores, truth = noisy_pair(80, decimals=1)
    tau = estimate_tau(scores, truth)
    left_out = [stats.kendalltau(np.delete(scores, item), np.delete(truth, item)).statistic for item in range(80)]
    error = math.sqrt(79 / 80 * np.square(left_out - np.mean(left_out)).sum()) / (1 - tau.value**2)
    half = stats.t.ppf(0.975, 79) * error
    assert math.atanh(tau.high) - math.atanh(tau.value) == pytest.approx(half, rel=0.03)
    assert math.atanh(tau.value) - math.atanh(tau.low) == pytest.approx(half, rel=0.03)


@pytest.mark.parametrize("estimate", [lambda *sides: estimate_rho([sides[0]], sides[1], Resampling())[0], estimate_tau])
def test_what_is_not_defined_is_none(estimate):
    few, many = np.arange(9.0), np.arange(10.0)
    assert estimate(few, few) == Estimate(1.0)
    assert estimate(np.zeros(10), many) == Estimate()
    assert estimate(many, np.zeros(10)) == Estimate()
    assert estimate(np.zeros(0), np.zeros(0)) == Estimate()
    assert estimate(many, many) == Estimate(1.0, 1.0, 1.0)


def test_no_interval_where_many_resamples_are_constant():
    scores, truth = np.array([0.0] * 19 + [1.0]), np.arange(20.0)
    (rho,) = estimate_rho([scores], truth, Resampling())
    assert rho.value is not None
    assert (rho.low, rho.high) == (None, None)


def test_evaluators_share_the_resamples(noisy_pair):
    first, truth = noisy_pair(50)
    second = first + np.random.default_rng(1).normal(size=50)
    together = estimate_rho([first, second], truth, Resampling())
    assert together == [estimate_rho([side], truth, Resampling())[0] for side in (first, second)]
    rows = resampled_rho([first, second], truth, Resampling())
    assert together[1] == bootstrapped(together[1].value, rows[1], 50, rho_influence(second, truth))
