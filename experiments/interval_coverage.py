"""Measure how often intervals cover the truth, and how often tests see a difference where there is none.

Usage: python -m nasbench_toolkit.experiments.interval_coverage [--samples 2000] [--sizes 50 100 500]

Draws samples of architectures from populations whose correlations are known: normal ones, also with values rounded so
that many tie, and one (a Clayton copula) in which scores tell the bad from the good but not the good from the best, a
twentieth of them failed. Prints the percentage of samples whose 95 % interval covers the population's correlation, for
what reports print and for two kinds of bootstrap intervals that they do not; then the percentage in which a comparison
of two evaluators of equal correlation has p <= 0.05.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.statistics.correlation import kendall_tau, spearman_rho
from ..core.statistics.differences import paired_difference
from ..core.statistics.estimates import Estimate, bootstrapped, estimate_rho, estimate_tau
from ..core.statistics.resampling import Resampling, resampled_rho
from ..core.statistics.seeds import difference_over_seeds, spread_over_seeds

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], tuple[Floats, Floats]]

LARGE = 400_000
"""Architectures that stand for a population: its rho has a standard error of about 0.001."""

SIZES = (50, 100, 500)
SEEDS = 4

_ALIKE = 0.5
"""Correlation of the noise of two evaluators that are compared."""


@dataclass(frozen=True)
class Population:
    """Where samples come from.

    Attributes:
        name: What it is.
        draw: Draws scores and truth of some architectures.
    """

    name: str
    draw: Draw

    def correlations(self) -> tuple[float, float]:
        """Return its rho and tau-b."""
        sides = self.draw(np.random.default_rng(0), LARGE)
        rho, tau = spearman_rho(*sides), kendall_tau(*sides)
        assert rho is not None and tau is not None
        return rho, tau


def normal(correlation: float, decimals: int | None = None) -> Draw:
    """Return a bivariate normal population, rounded where ties are wanted."""

    def draw(generator: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        first, noise = generator.normal(size=(2, n))
        second = correlation * first + math.sqrt(1 - correlation**2) * noise
        return (first, second) if decimals is None else (first.round(decimals), second.round(decimals))

    return draw


def clayton(strength: float, failures: float) -> Draw:
    """Return a population of which the bad are told apart better than the good, and a share has no score."""

    def draw(generator: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        truth, uniform, failing = generator.random((3, n))
        scores = (truth**-strength * (uniform ** (-strength / (1 + strength)) - 1) + 1) ** (-1 / strength)
        return np.where(failing < failures, -np.inf, scores), truth

    return draw


POPULATIONS = (
    Population("normal, r = 0.3", normal(0.3)),
    Population("normal, r = 0.6", normal(0.6)),
    Population("normal, r = 0.9", normal(0.9)),
    Population("normal, r = 0.6, many ties", normal(0.6, decimals=0)),
    Population("normal, r = 0.9, many ties", normal(0.9, decimals=0)),
    Population("Clayton, 2, 5 % failures", clayton(2.0, 0.05)),
)


def coverage(population: Population, n: int, samples: int) -> dict[str, float]:
    """Return the share of samples that each kind of interval covers the population's correlation in."""
    rho, tau = population.correlations()
    covered = dict.fromkeys(("rho", "tau", "percentile", "bias-corrected"), 0)
    for seed in range(samples):
        scores, truth = population.draw(np.random.default_rng([n, seed]), n)
        resampling = Resampling(seed=seed)
        covered["rho"] += _covers(estimate_rho([scores], truth, resampling)[0], rho)
        covered["tau"] += _covers(estimate_tau(scores, truth), tau)
        resampled = resampled_rho([scores], truth, resampling)[0]
        low, high = np.nanquantile(resampled, (0.025, 0.975))
        covered["percentile"] += bool(low <= rho <= high)
        value = spearman_rho(scores, truth)
        assert value is not None
        covered["bias-corrected"] += _covers(bootstrapped(value, resampled, n), rho)
    return {name: count / samples for name, count in covered.items()}


def _covers(estimate: Estimate, true_value: float) -> bool:
    return estimate.low is not None and estimate.high is not None and estimate.low <= true_value <= estimate.high


@dataclass(frozen=True)
class SeededEvaluator:
    """An evaluator whose scores and whose correlation depend on the run seed.

    Attributes:
        shared: Noise that all seeds have in common, beside a truth of standard deviation 1.
        own: Noise of each architecture and seed.
        varying: Standard deviation over seeds of the weight of the truth, whose mean is 1.
    """

    shared: float = 0.7
    own: float = 0.4
    varying: float = 0.1

    def draw(self, generator: np.random.Generator, truth: Floats, seeds: int) -> Floats:
        """Return scores of shape `(seeds, n)`."""
        weights = 1 + self.varying * generator.normal(size=(seeds, 1))
        noise = self.shared * generator.normal(size=truth.size) + self.own * generator.normal(size=(seeds, truth.size))
        scores: Floats = weights * truth + noise
        return scores

    def expected_rho(self) -> float:
        """Return the mean over seeds of the population's rho, 6 / pi asin(r / 2) for a normal one."""
        weights = 1 + self.varying * np.random.default_rng(0).normal(size=LARGE)
        correlations = weights / np.sqrt(weights**2 + self.shared**2 + self.own**2)
        return float((6 / math.pi * np.arcsin(correlations / 2)).mean())


SEEDED = {
    "seeds that matter little": SeededEvaluator(varying=0.0),
    "seeds that matter": SeededEvaluator(varying=0.1),
    "seeds that matter most": SeededEvaluator(shared=0.3, own=0.1, varying=0.3),
}


def coverage_over_seeds(evaluator: SeededEvaluator, n: int, samples: int) -> float:
    """Return the share of samples whose interval over architectures and seeds covers the expected correlation."""
    expected, covered = evaluator.expected_rho(), 0
    for seed in range(samples):
        values, resampled = _draw_seeded([evaluator], n, seed)[0]
        spread = spread_over_seeds(values, resampled, n)
        covered += spread is not None and _covers(spread.mean, expected)
    return covered / samples


def level_over_seeds(evaluator: SeededEvaluator, n: int, samples: int) -> float:
    """Return the share of samples in which two evaluators of one kind differ at 5 %, with several seeds."""
    found = 0
    for seed in range(samples):
        (first, moved), (second, also_moved) = _draw_seeded([evaluator, evaluator], n, seed)
        p = difference_over_seeds((first, second), (moved, also_moved), n).p
        found += p is not None and p <= 0.05
    return found / samples


def _draw_seeded(evaluators: Sequence[SeededEvaluator], n: int, seed: int) -> list[tuple[Floats, Floats]]:
    generator = np.random.default_rng([n, seed])
    truth = generator.normal(size=n)
    drawn = [evaluator.draw(generator, truth, SEEDS) for evaluator in evaluators]
    return [
        (
            np.array([spearman_rho(scores, truth) for scores in sides], dtype=np.float64),
            resampled_rho(list(sides), truth, Resampling(seed=seed)),
        )
        for sides in drawn
    ]


def level(correlation: float, decimals: int | None, n: int, samples: int) -> float:
    """Return the share of samples in which two evaluators of equal correlation differ at 5 %.

    Args:
        correlation: Of both with the truth.
        decimals: Rounds all values, so that many tie; None for no rounding.
        n: Architectures.
        samples: Number of samples.
    """
    found, noise_scale = 0, math.sqrt(1 - correlation**2)
    for seed in range(samples):
        truth, common, *own = np.random.default_rng([n, seed]).normal(size=(4, n))
        noises = [math.sqrt(_ALIKE) * common + math.sqrt(1 - _ALIKE) * each for each in own]
        sides = [correlation * truth + noise_scale * noise for noise in noises]
        if decimals is not None:
            truth, *sides = (side.round(decimals) for side in (truth, *sides))
        values = [spearman_rho(side, truth) for side in sides]
        resampled = resampled_rho(sides, truth, Resampling(seed=seed))
        p = paired_difference((values[0], values[1]), (resampled[0], resampled[1]), n).p
        found += p is not None and p <= 0.05
    return found / samples


def main() -> None:
    """Print all figures, in per cent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    args = parser.parse_args()
    for line in _lines(args.samples, args.sizes):
        print(line, flush=True)


def _lines(samples: int, sizes: Sequence[int]) -> Iterator[str]:
    yield f"Coverage of 95 % intervals in {samples:,} samples, in per cent"
    for population in POPULATIONS:
        for n in sizes:
            shares = coverage(population, n, samples)
            yield f"{population.name:28} n {n:4}  " + "  ".join(
                f"{name} {100 * share:.1f}" for name, share in shares.items()
            )
    for name, evaluator in SEEDED.items():
        for n in sizes:
            yield f"{name:28} n {n:4}  mean of {SEEDS} seeds {100 * coverage_over_seeds(evaluator, n, samples):.1f}"
    yield "Equal evaluators that differ at p <= 0.05, in per cent"
    for correlation in (0.3, 0.6, 0.9):
        for decimals in (None, 0):
            for n in sizes:
                ties = "no ties" if decimals is None else "many ties"
                yield f"r = {correlation}, {ties:18} n {n:4}  {100 * level(correlation, decimals, n, samples):.1f}"
    for name, evaluator in SEEDED.items():
        for n in sizes:
            yield f"{name:28} n {n:4}  {100 * level_over_seeds(evaluator, n, samples):.1f}"


if __name__ == "__main__":
    main()
