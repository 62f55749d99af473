import math

import numpy as np
import pytest
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.statistics.estimates import Estimate, estimate_rho, estimate_tau
from nasbench_toolkit.core.statistics.failures import FailurePolicy
from nasbench_toolkit.core.statistics.resampling import Resampling
from nasbench_toolkit.reports.correlation import correlation_table
from scipy import stats

LOSS = Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats")
ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


def rows(results, failures=FailurePolicy.WORST, metric_key=None):
    return {row.label: row for row in correlation_table(results, metric_key, failures).rows}


def test_correlation_table_equals_scipy_and_the_bootstrap(results, evaluator):
    generator = np.random.default_rng(0)
    truth = generator.normal(size=40)
    scores = (truth + generator.normal(size=40)).round(1)
    (row,) = correlation_table(results(evaluator("params", *scores), truth={ACCURACY: truth})).rows
    assert row.rho.value == pytest.approx(stats.spearmanr(scores, truth).statistic)
    assert row.tau.value == pytest.approx(stats.kendalltau(scores, truth).statistic)
    assert [row.rho] == estimate_rho([scores], truth, Resampling())
    assert row.tau == estimate_tau(scores, truth)
    assert (row.other_rho, row.other_n) == (row.rho, 40)
    assert (row.n, row.note) == (40, "")


@pytest.mark.parametrize(
    ("metric", "direction", "scores", "sign"),
    [
        (ACCURACY, Direction.MAXIMIZE, [1, 2, 3, 4, 5], 1),
        (ACCURACY, Direction.MINIMIZE, [5, 4, 3, 2, 1], 1),
        (ACCURACY, Direction.MINIMIZE, [1, 2, 3, 4, 5], -1),
        (LOSS, Direction.MINIMIZE, [1, 2, 3, 4, 5], 1),
        (LOSS, Direction.MAXIMIZE, [1, 2, 3, 4, 5], -1),
    ],
    ids=[
        "rising-score-with-accuracy",
        "loss-that-falls-with-accuracy",
        "loss-that-rises-with-accuracy",
        "loss-that-rises-with-loss",
        "rising-score-with-loss",
    ],
)
def test_correlation_is_positive_when_good_scores_mean_good_networks(
    results, evaluator, metric, direction, scores, sign
):
    proxy = evaluator("proxy", *scores, direction=direction)
    (row,) = correlation_table(results(proxy, truth={metric: [10, 20, 30, 40, 50]})).rows
    assert (row.rho.value, row.tau.value) == (sign, sign)


def test_failures_share_the_worst_rank_or_are_left_out(results, evaluator):
    # The two best networks fail; the ranks of the others are reversed.
    failing = evaluator("loss", Status.FAILED, Status.TIMEOUT, 3, 2, 1, direction=Direction.MINIMIZE)
    data = results(failing, truth={ACCURACY: [5, 4, 3, 2, 1]})
    worst, omitted = rows(data)["loss"], rows(data, FailurePolicy.OMIT)["loss"]
    assert worst.rho.value == pytest.approx(stats.spearmanr([1.5, 1.5, 3, 4, 5], [5, 4, 3, 2, 1]).statistic)
    assert (worst.n, omitted.n) == (5, 3)
    assert omitted.rho.value == -1
    assert (worst.other_rho, worst.other_n) == (omitted.rho, 3)
    assert (omitted.other_rho, omitted.other_n) == (worst.rho, 5)
    assert worst.failures == omitted.failures == {Status.FAILED: 1, Status.TIMEOUT: 1}
    assert worst.num_failures == 2


def test_ties_count_equal_scores_but_not_failures(results, evaluator):
    data = results(evaluator("params", 1, 1, 2, Status.FAILED, Status.FAILED), truth={ACCURACY: range(5)})
    assert rows(data)["params"].ties == 2


def test_pending_jobs_are_excluded_and_counted(results, evaluator):
    data = results(evaluator("late", 1, 3, 2, Status.PENDING, Status.PENDING), truth={ACCURACY: [1, 2, 3, 4, 5]})
    row = rows(data)["late"]
    assert (row.n, row.pending, row.num_failures) == (3, 2, 0)
    assert row.rho.value == pytest.approx(0.5)


def test_median_seconds_is_over_ok_jobs(results, evaluator):
    data = results(evaluator("params", 1, 2, 30, Status.FAILED, Status.PENDING))
    assert rows(data)["params"].median_seconds == 2.25
    assert rows(results(evaluator("params", Status.FAILED)))["params"].median_seconds is None


@pytest.mark.parametrize(
    ("outcomes", "truth", "note"),
    [
        ([2, 2, 2, 2], [1, 2, 3, 4], "undefined (constant score)"),
        ([1, 2, 3, 4], [2, 2, 2, 2], "undefined (constant ground truth)"),
        ([Status.FAILED] * 4, [1, 2, 3, 4], "undefined (every job failed)"),
        ([Status.FAILED, Status.PENDING], [1, 2], "undefined (every job failed)"),
        ([Status.PENDING] * 4, [1, 2, 3, 4], "undefined (fewer than 2 architectures)"),
        ([1, Status.PENDING], [1, 2], "undefined (fewer than 2 architectures)"),
        ([1, 2], [math.nan, math.nan], "undefined (fewer than 2 architectures)"),
    ],
    ids=["score", "truth", "failed", "failed-so-far", "none-done", "one-done", "no-truth-known"],
)
def test_undefined_correlation_is_none_with_a_reason(results, evaluator, outcomes, truth, note):
    row = rows(results(evaluator("params", *outcomes), truth={ACCURACY: truth}))["params"]
    assert (row.rho, row.tau, row.note) == (Estimate(), Estimate(), note)


@pytest.mark.parametrize(
    ("scores", "note"),
    [
        (range(9), "no interval (fewer than 10 architectures)"),
        ([0] * 19 + [1], "no interval (too many constant resamples)"),
    ],
    ids=["few", "nearly-constant"],
)
def test_undefined_interval_leaves_the_correlation(results, evaluator, scores, note):
    row = rows(results(evaluator("params", *scores), truth={ACCURACY: range(len(scores))}))["params"]
    assert row.rho == Estimate(stats.spearmanr(scores, range(len(scores))).statistic)
    assert row.note == note


def test_no_ground_truth_still_gives_counts_and_agreements(results, evaluator):
    data = results(
        evaluator("params", 1, 2, 2, Status.FAILED),
        evaluator("loss", 4, 3, 2, 5, direction=Direction.MINIMIZE),
    )
    table = correlation_table(data)
    row = table.rows[0]
    assert (table.metric, table.noise_ceiling, table.num_compared) == (None, None, 4)
    assert (row.rho, row.note, row.n, row.num_failures, row.ties) == (
        Estimate(),
        "no ground truth",
        4,
        1,
        2,
    )
    (pair,) = table.pairwise
    assert (pair.first, pair.second, pair.n) == ("params", "loss", 4)
    assert pair.rho == pytest.approx(stats.spearmanr([2, 3.5, 3.5, 1], [2, 3, 4, 1]).statistic)


def test_agreements_are_over_architectures_that_count_for_both(results, evaluator):
    data = results(evaluator("first", 1, 2, 3, Status.FAILED, 9), evaluator("second", 1, 2, 3, 4, Status.PENDING))
    (worst,) = correlation_table(data).pairwise
    (omitted,) = correlation_table(data, failures=FailurePolicy.OMIT).pairwise
    assert (worst.n, worst.rho) == (4, pytest.approx(stats.spearmanr([2, 3, 4, 1], [1, 2, 3, 4]).statistic))
    assert (omitted.n, omitted.rho) == (3, 1.0)


def test_agreement_with_a_constant_score_is_undefined(small_results):
    undefined = [pair for pair in correlation_table(small_results).pairwise if pair.rho is None]
    assert {label for pair in undefined for label in (pair.first, pair.second)} == {
        "jacob_cov", "gennas-combo:preset=paper", "flat_100%&#", "late",
    }  # fmt: skip
    assert all("flat_100%&#" in (pair.first, pair.second) for pair in undefined)


def test_table_header_describes_run_and_metric(small_results):
    table = correlation_table(small_results)
    assert (table.plan, table.plan_id) == (small_results.plan, small_results.plan_id)
    assert (table.metric, table.noise_ceiling, table.truth_source) == (LOSS, 0.91, "our own training")
    assert (table.num_architectures, table.num_without_truth, table.num_compared) == (12, 1, 11)
    assert correlation_table(small_results, ACCURACY.key).num_without_truth == 0
