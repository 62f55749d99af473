import dataclasses

import pytest
from nasbench_toolkit.core.errors import ResultsFileError, UsageError
from nasbench_toolkit.core.search.comparison import OpenTable, group_searches
from nasbench_toolkit.core.search.outcome import TableSummary


@pytest.fixture
def history(search_plan, search):
    """Search the toy space with a seed."""

    def make(seed, evaluations=3):
        plan = search_plan(evaluations=evaluations)
        plan = dataclasses.replace(plan, header=dataclasses.replace(plan.header, seed=seed))
        return search(plan, name=f"{seed}-{evaluations}.h5")

    return make


def table_of(shift=0.0):
    def tables(space, metric, _limits):
        summary = TableSummary(metric, [float(width) for width in range(2000, 0, -1)])
        return OpenTable(summary, lambda arch_id: float(arch_id.removeprefix("width-")) + shift)

    return tables


def with_values(history):
    """Give a history a ground truth that is the width."""
    (column, *_) = history.results.ground_truth
    values = tuple(float(arch_id.removeprefix("width-")) for arch_id in history.results.arch_ids)
    results = dataclasses.replace(history.results, ground_truth=(dataclasses.replace(column, values=values),))
    return dataclasses.replace(history, results=results)


def test_seeds_are_one_group_as_long_as_its_shortest_search(history) -> None:
    histories = [with_values(history(1, 4)), with_values(history(0, 3))]
    (group,) = group_searches(histories, None, table_of())
    assert [outcome.history.header.seed for outcome in group.outcomes] == [0, 1]
    assert group.evaluations == (3, 4)
    assert len(group.curve()) == 3
    assert group.curve()[0].count == 2


def test_without_a_table_the_curve_is_of_scores(history) -> None:
    (group,) = group_searches([with_values(history(0))], None, lambda *_: None)
    assert not group.shows_regret
    best = group.outcomes[0].history.incumbents()
    assert [point.mean for point in group.curve()] == [group.first.steps[at].record.score for at in best]


def test_another_table_and_the_same_search_twice_are_refused(history) -> None:
    found = with_values(history(0))
    with pytest.raises(ResultsFileError, match="measured with another table"):
        group_searches([found], None, table_of(shift=5))
    with pytest.raises(UsageError, match="Two files hold the same search"):
        group_searches([found, found], None, table_of())


def test_seeds_measured_with_different_metrics_are_refused(history) -> None:
    found = with_values(history(0))
    (column,) = found.results.ground_truth
    other = dataclasses.replace(column, metric=dataclasses.replace(column.metric, quantity="loss"))
    results = dataclasses.replace(found.results, ground_truth=(other,))
    second = dataclasses.replace(with_values(history(1)), results=results)
    with pytest.raises(UsageError, match="were measured with"):
        group_searches([found, second], None, table_of())
