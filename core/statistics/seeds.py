"""What several run seeds of one evaluator say together: its spread, and an interval over architectures and seeds.

The mean correlation of a run varies with the architectures that were drawn, which resamples show, and with the seeds,
which their own spread shows: both variances are added up. Their sum has the degrees of freedom of
[Satterthwaite1946]_, few where a handful of seeds decides.

References:
    [Satterthwaite1946]_ F. E. Satterthwaite. An approximate distribution of estimates of variance components.
        Biometrics Bulletin 2(6), 1946.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .arrays import Floats
from .differences import Difference, fisher_z, judge_difference, slope_of_z
from .estimates import FEWEST_FOR_INTERVAL, Estimate, standard_error, with_interval


@dataclass(frozen=True)
class SeedSpread:
    """An evaluator's correlations with several run seeds.

    Attributes:
        mean: Their mean, with an interval over architectures and seeds: where the mean of another sample of both would
            be expected.
        deviation: Their sample standard deviation.
        lowest: The lowest of them.
        highest: The highest.
        seeds: How many there are.
    """

    mean: Estimate
    deviation: float
    lowest: float
    highest: float
    seeds: int


def spread_over_seeds(values: Floats, resampled: Floats, n: int) -> SeedSpread | None:
    """Describe the correlations of several run seeds over the same architectures.

    Args:
        values: One for each seed, two or more, none undefined; shape `(seeds,)`.
        resampled: The same in resamples that all seeds share, NaN where undefined; shape `(seeds, resamples)`.
        n: Number of architectures.

    Returns:
        None for fewer than two seeds.
    """
    if values.size < 2:
        return None
    value, error = float(values.mean()), _standard_error(values, resampled, n)
    mean = Estimate(value) if error is None else with_interval(value, *error)
    return SeedSpread(mean, float(values.std(ddof=1)), float(values.min()), float(values.max()), values.size)


def difference_over_seeds(values: tuple[Floats, Floats], resampled: tuple[Floats, Floats], n: int) -> Difference:
    """Compare the mean correlations of two evaluators with the same run seeds; arguments as above, one for each."""
    difference = float((values[0] - values[1]).mean())
    (one, other), (one_moved, other_moved) = (tuple(map(fisher_z, sides)) for sides in (values, resampled))
    found = _standard_error(one - other, one_moved - other_moved, n)
    if found is None:
        return Difference(difference)
    error, freedom = found
    return judge_difference(difference, error * slope_of_z(float((values[0] + values[1]).mean()) / 2), freedom)


def _standard_error(values: Floats, resampled: Floats, n: int) -> tuple[float, float] | None:
    """Return the standard error of the mean over seeds and its degrees of freedom, None where it is not known.

    What a seed changes in single scores is counted among architectures and among seeds: the error is no smaller than
    it should be.
    """
    error = standard_error(resampled.mean(axis=0))
    if n < FEWEST_FOR_INTERVAL or error is None:
        return None
    of_cells, of_seeds = error**2, float(values.var(ddof=1)) / values.size
    variance = of_cells + of_seeds
    if variance == 0:
        return 0.0, n - 1
    freedom = variance**2 / (of_cells**2 / (n - 1) + of_seeds**2 / (values.size - 1))
    return math.sqrt(variance), freedom
