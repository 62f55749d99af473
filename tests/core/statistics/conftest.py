import math

import numpy as np
import pytest


@pytest.fixture
def noisy_pair():
    """Draw a bivariate normal sample, rounded where ties are wanted."""

    def draw(n, *, decimals=None, seed=0, correlation=0.6):
        generator = np.random.default_rng(seed)
        first = generator.normal(size=n)
        second = correlation * first + math.sqrt(1 - correlation**2) * generator.normal(size=n)
        return (first, second) if decimals is None else (first.round(decimals), second.round(decimals))

    return draw
