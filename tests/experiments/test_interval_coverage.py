import math

import pytest
from nasbench_toolkit.experiments import interval_coverage
from nasbench_toolkit.experiments.interval_coverage import (
    SEEDED,
    Population,
    clayton,
    coverage,
    coverage_over_seeds,
    level,
    level_over_seeds,
    normal,
)  # fmt: skip
from scipy import stats

SAMPLES = 100


@pytest.fixture(autouse=True)
def small_populations(monkeypatch):
    """Let fewer architectures stand for a population: they are still far more than a sample has."""
    monkeypatch.setattr(interval_coverage, "LARGE", 40_000)


def expected_range(share):
    """Where 99.8 % of the shares of so many samples lie."""
    return stats.binom.ppf([0.001, 0.999], SAMPLES, share) / SAMPLES


@pytest.mark.parametrize(
    "population",
    [
        Population("normal", normal(0.6)),
        Population("many ties", normal(0.9, 0)),
        Population("failures", clayton(2, 0.05)),
    ],
    ids=lambda population: population.name,
)
def test_intervals_cover_the_correlation_of_the_population(population):
    low, high = expected_range(0.95)
    shares = coverage(population, 50, SAMPLES)
    assert low <= shares["rho"] <= high
    assert low <= shares["tau"] <= high


def test_populations_have_the_correlations_of_theory():
    rho, tau = Population("normal", normal(0.6)).correlations()
    assert rho == pytest.approx(6 / math.pi * math.asin(0.3), abs=0.01)
    assert tau == pytest.approx(2 / math.pi * math.asin(0.6), abs=0.01)
    # A Clayton copula has a tau of theta / (theta + 2).
    assert Population("Clayton", clayton(2.0, 0.0)).correlations()[1] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("decimals", [None, 0], ids=["no-ties", "many-ties"])
def test_comparisons_keep_their_level(decimals):
    low, high = expected_range(0.05)
    assert low <= level(0.6, decimals, 50, SAMPLES) <= high


def test_intervals_and_comparisons_over_seeds_keep_theirs():
    seeded = SEEDED["seeds that matter"]
    assert coverage_over_seeds(seeded, 50, SAMPLES) >= expected_range(0.95)[0]
    assert level_over_seeds(seeded, 50, SAMPLES) <= expected_range(0.05)[1]
