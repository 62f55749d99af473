import math

import pytest
from nasbench_toolkit.core.statistics.correlation import spearman_rho
from nasbench_toolkit.core.statistics.failures import FailurePolicy, apply_failure_policy, count_ties
from scipy import stats


def test_failure_policy_worst_shares_the_average_of_the_bottom_ranks():
    scores, kept = apply_failure_policy([3.0, math.nan, 1.0, math.nan], [True, False, True, False], FailurePolicy.WORST)
    assert kept.all()
    assert stats.rankdata(scores).tolist() == [4.0, 1.5, 3.0, 1.5]


def test_failure_policy_worst_lowers_rho_by_hand():
    scores, _ = apply_failure_policy([math.nan, 1, 2, 3], [False, True, True, True], FailurePolicy.WORST)
    # Ranks 1 2 3 4 against 4 1 2 3: 1 - 6 * (9 + 1 + 1 + 1) / (4 * 15) = -0.2.
    assert spearman_rho(scores, [4, 1, 2, 3]) == pytest.approx(-0.2)


@pytest.mark.parametrize("policy", [FailurePolicy.OMIT, "omit"], ids=["member", "text"])
def test_failure_policy_omit_drops_failures(policy):
    scores, kept = apply_failure_policy([3.0, math.nan, 1.0], [True, False, True], policy)
    assert scores.tolist() == [3.0, 1.0]
    assert kept.tolist() == [True, False, True]


def test_failure_policy_unknown_is_refused():
    with pytest.raises(ValueError, match="'best' is not a valid FailurePolicy"):
        apply_failure_policy([1.0], [True], "best")


@pytest.mark.parametrize(
    ("values", "ties"),
    [([], 0), ([1, 2, 3], 0), ([1, 1, 2], 2), ([1, 1, 2, 2, 2, 3], 5), ([0.0, -0.0], 2)],
    ids=["nothing", "distinct", "a-pair", "two-groups", "signed-zero"],
)
def test_count_ties_counts_items_that_share_a_value(values, ties):
    assert count_ties(values) == ties
