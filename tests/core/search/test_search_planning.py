import pytest
from nasbench_toolkit.core.errors import UnknownNameError, UnsupportedSearchSpaceError, UsageError
from nasbench_toolkit.core.search.planning import SearchRequest, make_search_plans


@pytest.fixture
def plan(toy_plugins):
    def make(space="toy", evaluator="toy-width", strategy="random-search", **given):
        (made,) = make_search_plans(SearchRequest(space, evaluator, strategy, **given), toy_plugins)
        return made

    return make


def test_plan_names_all_that_decides_the_sequence(plan) -> None:
    made = plan(
        "nasbench201-tiny", "params:network=gennas", "regularized-evolution:population_size=7,tournament_size=3", seed=5
    )
    header = made.header
    assert (header.space, header.dataset, header.strategy, header.seed, header.parallel) == (
        "nasbench201-tiny", "mnist", "regularized-evolution", 5, 1,
    )  # fmt: skip
    assert header.strategy_settings == {"population_size": 7, "tournament_size": 3}
    assert header.evaluator.label == "params:network=gennas"
    assert made.strategy.distribution.startswith("nasbench-toolkit ")
    assert made.evaluations == 450


def test_ground_truth_is_looked_up_for_any_architectures(plan) -> None:
    made = plan(metric="test_cross_entropy")
    columns = made.ground_truth(["width-3", "width-8"])
    assert [column.metric.key for column in columns] == ["noise/test_cross_entropy@5", "noise/test_accuracy@5"]
    assert columns[1].values == (3.0, 8.0)
    assert columns[1].noise_ceiling == 0.95
    assert [column.values for column in made.ground_truth(())] == [(), ()]
    assert plan("toy-imported").ground_truth(["width-3"]) == ()


def test_plans_of_several_seeds_differ_in_nothing_but_their_seed(toy_plugins) -> None:
    request = SearchRequest("toy", "toy-width", "random-search", seed=4, seeds=3)
    plans = make_search_plans(request, toy_plugins)
    assert [each.header.seed for each in plans] == [4, 5, 6]
    for each in plans:
        (alone,) = make_search_plans(
            SearchRequest("toy", "toy-width", "random-search", seed=each.header.seed), toy_plugins
        )
        assert alone.header == each.header
        assert alone.strategy.make().ask(4) == each.strategy.make().ask(4)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"evaluations": 0}, UsageError, "--evaluations must be at least 1, got 0"),
        ({"parallel": 0}, UsageError, "--parallel must be at least 1, got 0"),
        ({"space": "tou"}, UnknownNameError, "Unknown search space 'tou'. Did you mean 'toy'"),
        ({"evaluator": "toy-wide"}, UnknownNameError, "Did you mean 'toy-width'"),
        ({"evaluator": "gennas-combo"}, UnsupportedSearchSpaceError, "does not support search space 'toy'"),
        (
            {"evaluator": "vote"},
            UsageError,
            "cannot maximise the aggregate 'vote': it is made of ranks within a cohort",
        ),
        ({"evaluator": "rank_sum:toy-width+toy-walk"}, UsageError, "cannot maximise the aggregate 'rank_sum'"),
        ({"strategy": "regularized-evolution"}, UnsupportedSearchSpaceError, "'toy' has no mutation"),
        ({"strategy": "reinforce"}, UnsupportedSearchSpaceError, "cannot search 'toy'"),
        ({"metric": "speed"}, UsageError, "Unknown metric 'speed'. There are: noise/test_accuracy@5"),
        ({"space": "toy-imported", "metric": "speed"}, UsageError, "There is no metric 'speed'"),
        ({"evaluator": "oracle:metric=speed"}, UsageError, "Unknown metric 'speed'. There are: noise/test_accuracy@5"),
        ({"space": "toy-imported", "evaluator": "oracle"}, UnsupportedSearchSpaceError, "this space has none at hand"),
    ],
)
def test_bad_input(plan, given, error, message) -> None:
    with pytest.raises(error, match=message):
        plan(**given)
