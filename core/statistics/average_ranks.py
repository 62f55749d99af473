"""Average ranks over several search spaces, and how far apart they must be.

References:
    [Friedman1937]_ M. Friedman. The use of ranks to avoid the assumption of normality implicit in the analysis of
        variance. Journal of the American Statistical Association 32(200), 1937.
    [Demsar2006]_ J. Demšar. Statistical comparisons of classifiers over multiple data sets. JMLR 7, 2006.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .ranks import average_ranks

SIGNIFICANCE = 0.05
"""Level of Nemenyi's test."""


@dataclass(frozen=True)
class AverageRanks:
    """Evaluators ranked within each of several spaces.

    Attributes:
        ranks: Mean rank of each evaluator, 1 is best; those that tie in a space share their average rank.
        critical_difference: Mean ranks further apart than this differ at the level of 5 % (Nemenyi's test, which
            corrects for all pairs), None for fewer than two evaluators or spaces.
        friedman: Statistic of Friedman's test, None for fewer than three evaluators or two spaces, or if all tie.
        p: Its p: whether the evaluators differ at all.
        spaces: Number of spaces.
    """

    ranks: tuple[float, ...]
    critical_difference: float | None
    friedman: float | None
    p: float | None
    spaces: int


def compare_over_spaces(values: Floats) -> AverageRanks:
    """Rank evaluators within each space by values of which higher is better, and compare their mean ranks.

    Args:
        values: No NaN, shape `(spaces, evaluators)`.
    """
    spaces, evaluators = values.shape
    ranks = np.stack([average_ranks(-row) for row in values]) if spaces else np.empty((0, evaluators))
    friedman, p = _friedman(ranks)
    return AverageRanks(
        ranks=tuple(ranks.mean(axis=0).tolist()) if spaces else (),
        critical_difference=nemenyi_difference(evaluators, spaces) if min(spaces, evaluators) > 1 else None,
        friedman=friedman,
        p=p,
        spaces=spaces,
    )


def nemenyi_difference(evaluators: int, spaces: int) -> float:
    """Return Nemenyi's critical difference of mean ranks, `q sqrt(k (k + 1) / 6 N)` ([Demsar2006]_, section 3.2.2)."""
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - SIGNIFICANCE, evaluators, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(evaluators * (evaluators + 1) / (6 * spaces))


def _friedman(ranks: Floats) -> tuple[float | None, float | None]:
    spaces, evaluators = ranks.shape
    if spaces < 2 or evaluators < 3 or bool((ranks == ranks[:, :1]).all()):
        return None, None
    from scipy.stats import friedmanchisquare

    result = friedmanchisquare(*ranks.T)
    return float(result.statistic), float(result.pvalue)
