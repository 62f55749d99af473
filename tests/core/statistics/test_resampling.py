import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics import resampling as module
from nasbench_toolkit.core.statistics.resampling import Resampling, resampled_rho
from scipy import stats


def scipy_rho(scores, truth):
    constant = np.ptp(scores) == 0 or np.ptp(truth) == 0
    return math.nan if constant else stats.spearmanr(scores, truth).statistic


@pytest.mark.parametrize("decimals", [None, 1, 0], ids=["no-ties", "some-ties", "many-ties"])
@pytest.mark.parametrize("n", [3, 40, 400], ids=["tiny", "small", "large"])
def test_resampled_rho_equals_scipy_on_what_was_drawn(noisy_pair, n, decimals):
    scores, truth = noisy_pair(n, decimals=decimals)
    other = -scores.round(0)
    drawn = np.concatenate(list(Resampling(20, seed=5).draws(n)))
    rho = resampled_rho([scores, other], truth, Resampling(20, seed=5))
    expected = [[scipy_rho(side[row], truth[row]) for row in drawn] for side in (scores, other)]
    np.testing.assert_allclose(rho, expected, rtol=0, atol=1e-12)


def test_failures_on_the_worst_rank_are_resampled_as_ties(noisy_pair):
    scores, truth = noisy_pair(30)
    scores[:10] = -math.inf
    ranks = stats.rankdata(scores)
    drawn = np.concatenate(list(Resampling(10).draws(30)))
    expected = [scipy_rho(ranks[row], truth[row]) for row in drawn]
    np.testing.assert_allclose(resampled_rho([scores], truth, Resampling(10))[0], expected, rtol=0, atol=1e-12)


def test_counts_are_of_the_draws_whatever_the_size_of_chunks(monkeypatch):
    whole = np.concatenate(list(Resampling(7, seed=1).draws(5)))
    monkeypatch.setattr(module, "CHUNK_ELEMENTS", 10)
    chunks = list(Resampling(7, seed=1).counts(5))
    assert [chunk.shape for chunk in chunks] == [(5, 2), (5, 2), (5, 2), (5, 1)]
    expected = np.stack([np.bincount(row, minlength=5) for row in whole], axis=1)
    assert np.concatenate(chunks, axis=1).tolist() == expected.tolist()


def test_draws_are_the_same_each_time_and_depend_on_the_seed():
    first, again, other = (np.concatenate(list(Resampling(3, seed).draws(50))) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
