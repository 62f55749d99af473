import numpy as np
import pytest
from nasbench_toolkit.core.statistics.concordance import Concordance


@pytest.mark.parametrize("decimals", [3, 1, 0], ids=["no-ties", "some-ties", "many-ties"])
@pytest.mark.parametrize("n", [1, 2, 3, 64, 129])
def test_counts_equal_the_loop_over_all_pairs(n, decimals):
    generator = np.random.default_rng(n)
    scores, truth = generator.normal(size=(2, n)).round(decimals)
    by_score, by_truth = (np.sign(side[:, None] - side[None, :]) for side in (scores, truth))
    pairs = Concordance.of(scores, truth)
    assert pairs.balance.tolist() == (by_score * by_truth).sum(axis=1).tolist()
    assert pairs.untied_scores.tolist() == (by_score != 0).sum(axis=1).tolist()
    assert pairs.untied_truth.tolist() == (by_truth != 0).sum(axis=1).tolist()
