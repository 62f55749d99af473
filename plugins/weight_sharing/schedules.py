"""What changes from epoch to epoch."""

from __future__ import annotations

import math


def learning_rate_at(epoch: int, period: int, first: float, last: float) -> float:
    """Return the learning rate of an epoch, counted from 0: half a cosine from ``first`` to ``last`` in ``period``.

    In the epochs after, it rises again: with a period of 10 it oscillates with one of 20.
    """
    return last + (first - last) * (1 + math.cos(math.pi * epoch / period)) / 2


def temperature_at(epoch: int, epochs: int, first: float, last: float) -> float:
    """Return the temperature of an epoch, counted from 0: linear from ``first`` to ``last`` in the last epoch."""
    return first if epochs == 1 else first - (first - last) * epoch / (epochs - 1)
