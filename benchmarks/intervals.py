"""Bootstrap intervals of what benchmarks compare, over architectures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 2_000


def interval(statistic: Callable[..., float | None], *sides: Floats) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic; architectures are drawn with replacement.

    Args:
        statistic: Of sides with as many values each; None where it is not defined.
        sides: One value for each architecture.
    """
    rng = np.random.default_rng(0)
    count = len(sides[0])
    draws = [rng.integers(count, size=count) for _ in range(RESAMPLES)]
    values = [statistic(*(side[draw] for side in sides)) for draw in draws]
    low, high = np.quantile([value for value in values if value is not None], [0.025, 0.975])
    return float(low), float(high)


def ratio_of_sums(first: Floats, second: Floats) -> float:
    """Return how much more the first side is altogether."""
    return float(first.sum() / second.sum())
