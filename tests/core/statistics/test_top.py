import itertools
import math

import numpy as np
import pytest
from nasbench_toolkit.core.statistics.top import TopChoice, best_of_top, ndcg, retrieving_rate
from sklearn.metrics import ndcg_score


def test_retrieving_rate_counts_the_common_top():
    retrieval = retrieving_rate([5, 4, 3, 2, 1, 0], [9, 1, 8, 7, 0, 2], top_fraction=0.5)
    assert (retrieval.rate, retrieval.k, retrieval.tied) == (pytest.approx(2 / 3), 3, False)


def test_retrieving_rate_equals_the_mean_over_all_tie_breaks():
    scores, truth, k = [2, 1, 1, 1, 0], [1, 3, 2, 2, 2], 2
    # Score top: item 0 and one of 1, 2, 3. True top: item 1 and one of 2, 3, 4. All 9 pairs of choices alike.
    overlaps = [len({0, first} & {1, second}) / k for first in (1, 2, 3) for second in (2, 3, 4)]
    retrieval = retrieving_rate(scores, truth, top_fraction=k / 5)
    assert retrieval.rate == pytest.approx(np.mean(overlaps))
    assert retrieval.tied


def test_retrieving_rate_of_a_constant_score_is_the_random_baseline():
    assert retrieving_rate(np.zeros(40), np.arange(40), top_fraction=0.1).rate == pytest.approx(0.1)


@pytest.mark.parametrize(("n", "fraction", "k"), [(100, 0.1, 10), (4, 0.1, 1), (500, 0.05, 25), (7, 1.0, 7)], ids=str)
def test_retrieving_rate_rounds_the_fraction_to_at_least_one(n, fraction, k):
    retrieval = retrieving_rate(np.arange(n), np.arange(n), top_fraction=fraction)
    assert (retrieval.rate, retrieval.k, retrieval.tied) == (1.0, k, False)


def test_retrieving_rate_of_nothing_is_undefined():
    assert retrieving_rate([], [], top_fraction=0.1) is None


@pytest.mark.parametrize("fraction", [0.0, 1.5])
def test_retrieving_rate_refuses_fractions_out_of_range(fraction):
    with pytest.raises(ValueError, match=f"above 0 and at most 1, got {fraction}"):
        retrieving_rate([1, 2, 3], [1, 2, 3], fraction)


@pytest.mark.parametrize("decimals", [3, 1, 0], ids=["no-ties", "some-ties", "many-ties"])
def test_ndcg_equals_scikit_learn(decimals):
    generator = np.random.default_rng(decimals)
    scores, truth = generator.normal(size=60).round(decimals), generator.normal(size=60)
    assert ndcg(scores, truth) == pytest.approx(ndcg_score([truth - truth.min()], [scores]), abs=1e-12)


def test_ndcg_by_hand():
    # Gains 2, 0, 1 in the order of scores, discounts 1, 1 / log2(3), 1 / 2: 2.5 of 2 + 1 / log2(3).
    assert ndcg([3, 2, 1], [12, 10, 11]) == pytest.approx(2.5 / (2 + 1 / math.log2(3)))


@pytest.mark.parametrize(("scores", "truth"), [([1, 1], [1, 2]), ([1, 2], [3, 3]), ([], [])], ids=str)
def test_ndcg_is_undefined_for_a_constant_side(scores, truth):
    assert ndcg(scores, truth) is None


def test_best_of_top_is_the_best_truth_that_the_scores_lead_to():
    assert best_of_top([5, 4, 3, 2], [91.0, 93.0, 90.0, 94.0], 3) == TopChoice(93.0, 1.0, 3)
    assert best_of_top([5, 4], [91.0, 93.0], 10) == TopChoice(93.0, 0.0, 2)
    assert best_of_top([], [], 1) is None


@pytest.mark.parametrize("top_k", [1, 2, 3, 4, 5])
def test_best_of_top_equals_the_mean_over_all_tie_breaks(top_k):
    scores, truth = [2, 1, 1, 1, 0], [3, 1, 4, 5, 9]
    sure = [truth[item] for item in range(5) if scores[item] > sorted(scores)[-top_k]]
    tied = [truth[item] for item in range(5) if scores[item] == sorted(scores)[-top_k]]
    choices = [max([*sure, *drawn]) for drawn in itertools.combinations(tied, top_k - len(sure))]
    chosen = best_of_top(scores, truth, top_k)
    assert chosen.value == pytest.approx(np.mean(choices))
    assert chosen.regret == pytest.approx(9 - np.mean(choices))


def test_rounding_takes_no_choice_beyond_the_best() -> None:
    generator = np.random.default_rng(0)
    for tied in range(2, 60):
        truth = generator.normal(size=tied).round(1)
        constant = best_of_top(np.zeros(tied), np.full(tied, truth[0]), 3)
        assert (constant.value, constant.regret) == (truth[0], 0.0)
        assert best_of_top(np.zeros(tied), truth, 3).regret >= 0
        assert best_of_top(np.zeros(tied), truth, tied).value == truth.max()


def test_rounding_takes_no_ndcg_above_one() -> None:
    generator = np.random.default_rng(0)
    for n in range(2, 200):
        truth = generator.normal(size=n)
        assert 1 - 1e-12 < ndcg(truth, truth) <= 1


def test_best_of_top_refuses_no_places():
    with pytest.raises(ValueError, match="Expected top_k of 1 or more, got 0"):
        best_of_top([1], [1], 0)


@pytest.mark.parametrize(("n", "k"), [(7, 2), (10, 2), (14, 4), (1, 1)])
def test_a_fraction_is_rounded_half_to_even_and_at_least_one(n, k):
    # A quarter of 7 is 1.75, of 10 is 2.5, of 14 is 3.5, of 1 is 0.25.
    assert retrieving_rate(np.arange(n), np.arange(n), top_fraction=0.25).k == k
