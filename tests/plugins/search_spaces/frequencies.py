"""How well counts of random draws fit their probabilities."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from scipy import stats

FEWEST_EXPECTED = 5.0


def fit(counts: Counter[str], probabilities: Mapping[str, float]) -> float:
    """Return the p-value of Pearson's test; what is expected less than five times counts together.

    Args:
        counts: How often each was drawn; none that has no probability.
        probabilities: Of all that can be drawn; they sum to 1.
    """
    assert set(counts) <= set(probabilities)
    total = counts.total()
    often = [name for name, probability in probabilities.items() if probability * total >= FEWEST_EXPECTED]
    assert len(often) > 8
    observed, expected = [counts[name] for name in often], [probabilities[name] * total for name in often]
    rest = total - sum(expected)
    if rest > 1:
        observed, expected = [*observed, total - sum(observed)], [*expected, rest]
    scaled = np.array(expected) * sum(observed) / sum(expected)
    return float(stats.chisquare(observed, scaled).pvalue)
