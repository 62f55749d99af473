import math

import pytest
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.reports.select import choose_metric, select

LOSS = Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats")
ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, LOSS), (LOSS.key, LOSS), (ACCURACY.key, ACCURACY)],
    ids=["first-by-default", "first", "second"],
)
def test_choose_metric_by_key(small_results, key, expected):
    assert choose_metric(small_results, key).metric == expected


def test_choose_metric_unknown_names_close_and_all_keys(small_results):
    with pytest.raises(UsageError) as caught:
        choose_metric(small_results, "mnist/test_acuracy@3")
    message = str(caught.value)
    assert message.startswith("Unknown metric 'mnist/test_acuracy@3'. Did you mean 'mnist/test_accuracy@3'")
    assert message.endswith("There are: mnist/test_cross_entropy@3, mnist/test_accuracy@3.")


def test_choose_metric_without_ground_truth(results, evaluator):
    bare = results(evaluator("params", 1, 2))
    assert choose_metric(bare, None) is None
    with pytest.raises(UsageError, match=r"Metric 'x' was asked for, but these results have no ground truth"):
        choose_metric(bare, "x")


def test_select_turns_both_sides_so_that_higher_is_better(results, evaluator):
    selection = select(
        results(
            evaluator("loss", 1, 2, direction=Direction.MINIMIZE),
            evaluator("size", 1, 2),
            truth={LOSS: [3, 4]},
        )
    )
    assert selection.truth.tolist() == [-3, -4]
    assert [part.scores.tolist() for part in selection.evaluators] == [[-1, -2], [1, 2]]


def test_select_drops_and_counts_architectures_without_ground_truth(results, evaluator):
    selection = select(results(evaluator("params", 1, Status.FAILED, 3), truth={LOSS: [3, math.nan, 4]}))
    assert selection.num_without_truth == 1
    (part,) = selection.evaluators
    assert part.scores.tolist() == [1, 3]
    assert part.failures == {}


def test_select_keeps_all_architectures_when_there_is_no_ground_truth(results, evaluator):
    selection = select(results(evaluator("params", 1, Status.FAILED, 3)))
    assert (selection.column, selection.truth, selection.num_without_truth) == (None, None, 0)
    assert selection.evaluators[0].ok.tolist() == [True, False, True]


def test_select_tells_failed_from_pending_jobs(results, evaluator):
    outcomes = (Status.CRASHED, 1, Status.PENDING, Status.DIVERGED, Status.CRASHED)
    (part,) = select(results(evaluator("params", *outcomes), truth={LOSS: [1, 2, 3, 4, 5]})).evaluators
    assert part.ok.tolist() == [False, True, False, False, False]
    assert part.done.tolist() == [True, True, False, True, True]
    assert list(part.failures.items()) == [(Status.DIVERGED, 1), (Status.CRASHED, 2)]
    assert part.ok_seconds.tolist() == [1.25]
