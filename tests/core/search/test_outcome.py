import dataclasses
import math

import numpy as np
import pytest
from nasbench_toolkit.core.domain import Direction, Metric, Record, Status
from nasbench_toolkit.core.interfaces import GroundTruth
from nasbench_toolkit.core.plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from nasbench_toolkit.core.results.contents import EvaluatorResults, Results
from nasbench_toolkit.core.results.records import Records
from nasbench_toolkit.core.search.history import SearchHeader, SearchHistory, Step
from nasbench_toolkit.core.search.outcome import TableSummary, find_outcome, mean_regret_curve

ACCURACY = Metric("noise", "test", "accuracy", 5, Direction.MAXIMIZE, "percent")
LOSS = Metric("noise", "test", "loss", 5, Direction.MINIMIZE, "nats")
TRUTH = {"a": 70.0, "b": 90.0, "c": 80.0, "d": 90.0, "e": math.nan, "f": 60.0}


class Table(GroundTruth):
    metrics = (ACCURACY, LOSS)

    def values(self, metric, arch_ids):
        return [metric.direction.sign * TRUTH[arch_id] for arch_id in arch_ids]

    def all_values(self, metric):
        return np.array(self.values(metric, list(TRUTH)))


class Unlisted(Table):
    def all_values(self, metric):
        return None


def history(scores, metric=ACCURACY, seed=0, direction=Direction.MAXIMIZE):
    """Make a search from pairs of architecture and score, None for a failure."""
    evaluator = EvaluatorHeader("e", "e", direction, 1, {}, "0" * 16, "tests 1")
    header = SearchHeader("s", "noise", evaluator, "first-come", {}, seed, 1)
    records, steps = {}, []
    for arch_id, score in scores:
        ok = score is not None
        record = Record(Status.OK if ok else Status.FAILED, score if ok else math.nan)
        steps.append(Step(arch_id, arch_id, record, arch_id in records, direction.sign * score if ok else None))
        records[arch_id] = record
    values = tuple(metric.direction.sign * TRUTH[arch_id] for arch_id in records)
    column = GroundTruthColumn(metric, values, None, "tests 1")
    parts = (EvaluatorResults(evaluator, Records.of(records.values()), seed),)
    results = Results(PlanHeader("s", "noise", seed, "searched"), tuple(records), (column,), parts, {})
    return SearchHistory(header, tuple(steps), results)


# Scores 1, 3, 2, 3 for a, c, f, b: c is the best from evaluation 2 on, the later b is only its equal.
# The best of the table has 90, so regret is 90 - 70 = 20, then 90 - 80 = 10 to the end.
SCORES = [("a", 1.0), ("c", 3.0), ("f", 2.0), ("c", 3.0), ("b", 3.0)]


@pytest.mark.parametrize("metric", [ACCURACY, LOSS], ids=["higher is better", "lower is better"])
def test_outcome_by_hand(metric) -> None:
    outcome = find_outcome(history(SCORES, metric), TableSummary.read(Table(), metric))
    assert (outcome.best.arch_id, outcome.best_evaluation) == ("c", 2)
    assert outcome.value == metric.direction.sign * 80.0
    assert outcome.table.best == metric.direction.sign * 90.0
    assert outcome.rank == 3
    assert outcome.regret == 10.0
    assert outcome.regret_curve == [20.0, 10.0, 10.0, 10.0, 10.0]
    assert (outcome.evaluations, outcome.architectures, outcome.failures) == (5, 4, 0)


def test_outcome_where_a_lower_score_is_better() -> None:
    outcome = find_outcome(history(SCORES, direction=Direction.MINIMIZE), TableSummary.read(Table(), ACCURACY))
    assert (outcome.best.arch_id, outcome.best_evaluation) == ("a", 1)
    assert outcome.regret_curve == [20.0] * 5


def test_rank_counts_those_that_are_strictly_better_and_leaves_out_what_was_not_measured() -> None:
    table = TableSummary.read(Table(), ACCURACY)
    assert len(table.values) == 5
    assert [table.rank(value) for value in (90.0, 80.0, 60.0)] == [1, 3, 5]
    assert table.rank(math.nan) is None
    assert table.regret(math.nan) is None


def test_failures_are_counted_and_regret_begins_with_the_first_score() -> None:
    scores = [("f", None), ("a", 1.0), ("f", None)]
    outcome = find_outcome(history(scores), TableSummary.read(Table(), ACCURACY))
    assert outcome.regret_curve == [None, 20.0, 20.0]
    assert (outcome.evaluations, outcome.architectures, outcome.failures) == (3, 2, 2)


def test_no_score_at_all() -> None:
    outcome = find_outcome(history([("a", None)]), TableSummary.read(Table(), ACCURACY))
    assert (outcome.best, outcome.best_evaluation, outcome.rank, outcome.regret) == (None, None, None, None)
    assert math.isnan(outcome.value)


def test_architecture_that_the_table_did_not_measure_has_no_regret() -> None:
    outcome = find_outcome(history([("a", 1.0), ("e", 2.0)]), TableSummary.read(Table(), ACCURACY))
    assert outcome.best.arch_id == "e"
    assert outcome.regret_curve == [20.0, None]
    assert outcome.rank is None


def test_table_that_does_not_list_its_values_gives_the_value_only() -> None:
    outcome = find_outcome(history(SCORES), TableSummary.read(Unlisted(), ACCURACY))
    assert outcome.value == 80.0
    assert (outcome.table.best, outcome.rank, outcome.regret) == (None, None, None)


class WithOptimum(Table):
    def optimum(self, metric):
        return metric.direction.sign * 85.0


@pytest.mark.parametrize("metric", [ACCURACY, LOSS], ids=["higher is better", "lower is better"])
def test_regret_is_measured_from_the_optimum_that_the_table_knows(metric) -> None:
    outcome = find_outcome(history([*SCORES, ("d", 4.0)], metric), TableSummary.read(WithOptimum(), metric))
    assert outcome.regret_curve == [15.0, 5.0, 5.0, 5.0, 5.0, -5.0]
    assert (outcome.rank, outcome.table.best) == (1, metric.direction.sign * 90.0)


def test_without_a_table() -> None:
    outcome = find_outcome(history(SCORES), None)
    assert outcome.best.arch_id == "c"
    assert (outcome.rank, outcome.regret) == (None, None)


def test_mean_regret_is_of_the_same_searches_at_every_evaluation() -> None:
    table = TableSummary.read(Table(), ACCURACY)
    long, short = history(SCORES[:2]), history([("f", 1.0)])
    stopped = [find_outcome(each, table) for each in (long, short)]
    exhausted = [find_outcome(each, table) for each in (long, dataclasses.replace(short, exhausted=True))]
    assert [(point.mean, point.count) for point in mean_regret_curve(stopped)] == [(25.0, 2)]
    assert [(point.mean, point.count) for point in mean_regret_curve(exhausted)] == [(25.0, 2), (20.0, 2)]
