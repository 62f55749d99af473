import dataclasses
import json
import math
from functools import partial

import h5py
import pytest
from nasbench_toolkit.core.errors import NoFeasibleArchitectureError, PluginError, ResultsFileError, UsageError
from nasbench_toolkit.core.hdf5.writing import write_attributes as describe
from nasbench_toolkit.core.interfaces import PartialEvaluation, SearchStrategy
from nasbench_toolkit.core.jobs import executor
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search import limits
from nasbench_toolkit.core.search.outcome import TableSummary, find_outcome
from nasbench_toolkit.core.search.planning import SearchRequest, make_search_plans
from nasbench_toolkit.core.search.storage import read_search

# On the toy space, 'toy-width' is the width; the table's accuracy is the width as well, its loss minus the width.


@pytest.fixture
def plan(toy_plugins, climb):
    """Make a plan of a search of the toy space; ``asked`` replaces the strategy by one that proposes these widths."""

    def make(asked=None, evaluator="toy-random", strategy="random-search", space="toy", **given):
        (made,) = make_search_plans(SearchRequest(space, evaluator, strategy, **given), toy_plugins)
        if asked is None:
            return made
        return dataclasses.replace(made, strategy=climb["make_spec"](partial(Told, asked=asked), made.space))

    return make


class Told(SearchStrategy):
    """Proposes given architectures and keeps what it is told."""

    def __init__(self, space, settings, seed, asked):
        super().__init__(space, settings, seed)
        self.left = [proposal if isinstance(proposal, PartialEvaluation) else f"width-{proposal}" for proposal in asked]
        self.told = []
        Told.last = self

    def ask(self, count):
        asked, self.left = self.left[:count], self.left[count:]
        return asked

    def tell(self, architecture, fitness):
        raise AssertionError("the engine tells objectives")

    def tell_objectives(self, architecture, objectives):
        self.told.append((architecture, objectives))


def test_what_is_above_a_limit_is_refused_never_scored_and_does_not_count(plan, search) -> None:
    history = search(plan([5, 90, 7, 91, 90, 9, 11], evaluator="toy-width", evaluations=3, limits=(("toy-width", 10),)))
    assert [step.arch_id for step in history.steps] == ["width-5", "width-7", "width-9"]
    assert [(step.arch_id, step.repeated) for step in history.refused] == [
        ("width-90", False), ("width-91", False), ("width-90", True),
    ]  # fmt: skip
    assert Told.last.told == [
        ("width-5", (5.0,)), ("width-90", None), ("width-7", (7.0,)), ("width-91", None), ("width-90", None),
        ("width-9", (9.0,)),
    ]  # fmt: skip
    assert [step.costs for step in history.refused] == [(90.0,), (91.0,), (90.0,)]


def test_fitness_of_the_refused_is_pending_in_the_file_and_the_limit_itself_is_allowed(plan, search, tmp_path) -> None:
    history = search(plan([11, 10], evaluations=2, limits=(("toy-width", 10),)))
    results = read_results(tmp_path / "s.h5")
    assert results.arch_ids == ("width-11", "width-10")
    scored = [[str(record.status) for record in part.records] for part in results.evaluators]
    assert scored == [["pending", "ok"], ["ok", "ok"]]
    assert [part.header.label for part in results.evaluators] == ["toy-random", "toy-width"]
    stored = read_search(tmp_path / "s.h5")
    assert (stored.header, stored.steps, stored.refused) == (history.header, history.steps, history.refused)


def test_limit_on_a_metric_of_the_table_is_looked_up(plan, search) -> None:
    history = search(plan([5, 90, 7], evaluations=3, limits=(("test_accuracy", 10),)))
    assert [step.arch_id for step in history.steps] == ["width-5", "width-7"]
    assert history.header.costs[0].name == "noise/test_accuracy@5"
    assert [step.costs for step in history.refused] == [(90.0,)]


def test_architecture_without_the_limited_cost_is_refused(plan, search) -> None:
    # Widths 8 and 11 crash and fail there (see the toy plugin); 15 has a score.
    given = {"evaluator": "toy-width", "limits": (("toy-misbehaving", 1e6),)}
    history = search(plan([8, 15, 11], evaluations=3, **given))
    assert [step.arch_id for step in history.steps] == ["width-15"]
    assert [step.arch_id for step in history.refused] == ["width-8", "width-11"]
    assert all(math.isnan(step.costs[0]) for step in history.refused)


def test_minimised_costs_are_told_as_objectives_that_are_better_when_higher(plan, search) -> None:
    history = search(plan([3, 9], evaluator="toy-width", minimize=("test_accuracy", "test_cross_entropy")))
    assert Told.last.told == [("width-3", (3.0, -3.0, 3.0)), ("width-9", (9.0, -9.0, 9.0))]
    assert [step.costs for step in history.steps] == [(3.0, -3.0), (9.0, -9.0)]


def test_without_one_of_the_objectives_there_are_none(plan, search) -> None:
    history = search(plan([8, 15], evaluator="toy-width", minimize=("toy-misbehaving",)))
    assert [objectives is None for _, objectives in Told.last.told] == [True, False]
    assert [step.fitness for step in history.steps] == [8.0, 15.0]
    assert [member.step.arch_id for member in find_outcome(history, None).front] == ["width-15"]


def test_front_of_the_history_each_architecture_once_the_cheapest_first(plan, search) -> None:
    # The widest has the best score and the highest cost: all that are within the limit are on the front.
    given = {"evaluator": "toy-width", "minimize": ("test_accuracy",), "limits": (("test_accuracy", 50),)}
    made = plan([7, 3, 60, 3, 5], **given)
    history = search(made)
    table = TableSummary.read(made.space.ground_truth(), made.ground_truth(())[0].metric)
    front = find_outcome(history, table).front
    assert [(member.step.arch_id, member.step.costs, member.value) for member in front] == [
        ("width-3", (3.0,), 3.0), ("width-5", (5.0,), 5.0), ("width-7", (7.0,), 7.0),
    ]  # fmt: skip
    assert made.header.costs[0].limit == 50
    assert [step.arch_id for step in history.refused] == ["width-60"]


def test_limit_on_the_evaluator_itself_is_one_evaluator(plan, search) -> None:
    made = plan([5, 90, 7], evaluator="toy-width", limits=(("toy-width:mode=fast", 10),))
    assert [spec.header.label for spec in made.evaluators] == ["toy-width"]
    assert [step.arch_id for step in search(made).steps] == ["width-5", "width-7"]


@pytest.mark.parametrize("parallel", [1, 3])
def test_resumed_and_longer_searches_have_the_steps_of_whole_ones(plan, search, without_times, parallel) -> None:
    given = {"limits": (("test_accuracy", 1000), ("toy-width", 900)), "minimize": ("toy-width",), "parallel": parallel}
    whole = search(plan(evaluations=9, **given), "whole.h5")
    assert whole.refused
    for evaluations in (1, 2, 5, 6, 9):
        resumed = search(plan(evaluations=evaluations, **given), resume=True)
        assert len(resumed.steps) == evaluations
    assert without_times(resumed) == without_times(whole)
    assert resumed.refused == whole.refused
    with pytest.raises(ResultsFileError, match="has 9 evaluations already, 8 were asked for"):
        search(plan(evaluations=8, **given), resume=True)


def test_steps_do_not_depend_on_the_number_of_workers(plan, search, without_times) -> None:
    made = plan(evaluations=8, limits=(("toy-width", 1500),), parallel=3)
    one, three = search(made, "one.h5"), search(made, "three.h5", devices=("cpu",) * 3)
    assert (without_times(one), one.refused) == (without_times(three), three.refused)


def test_resumed_search_computes_nothing_twice(plan, search, monkeypatch) -> None:
    made = plan(evaluations=4, limits=(("toy-width", 1500),))
    first = search(made)
    monkeypatch.setattr(executor, "Worker", None)
    assert search(made, resume=True) == first


def test_limits_that_nothing_satisfies_end_the_search_with_the_closest(plan, search, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(limits, "MAX_REFUSALS", 20)
    made = plan(evaluations=4, limits=(("test_accuracy", 0.5), ("toy-width", 1e9)))
    with pytest.raises(NoFeasibleArchitectureError, match="all 20 proposals, of 20 architectures") as raised:
        search(made)
    refused = read_search(tmp_path / "s.h5").refused
    least = min(step.costs[0] for step in refused)
    assert (
        f"closest is 'width-{least:.0f}' with noise/test_accuracy@5 {least:.0f} (limit 0.5), toy-width {least:.0f}"
        in str(raised.value)
    )
    assert len(refused) == 20
    with pytest.raises(NoFeasibleArchitectureError, match="all 20 proposals"):
        search(made, resume=True)


def test_a_space_that_is_refused_whole_ends_the_search(plan, search, monkeypatch) -> None:
    made = plan([1, 2, 1, 3, 4, 5, 6], limits=(("test_accuracy", 0.5),))
    monkeypatch.setattr(type(made.space), "size", 3)
    with pytest.raises(NoFeasibleArchitectureError, match="all 4 proposals, of 3 architectures"):
        search(made)


def test_strategy_that_ends_without_a_feasible_architecture(plan, search) -> None:
    with pytest.raises(NoFeasibleArchitectureError, match="all 2 proposals, of 2 architectures"):
        search(plan([9, 8], limits=(("test_accuracy", 0.5),)))


def test_too_many_refusals_after_a_success_end_the_search_early(plan, search, monkeypatch) -> None:
    monkeypatch.setattr(limits, "MAX_REFUSALS", 3)
    history = search(plan([1, 20, 21, 2, 22, 23, 24, 3], evaluator="toy-width", limits=(("toy-width", 10),)))
    assert [step.arch_id for step in history.steps] == ["width-1", "width-2"]
    assert len(history.refused) == 5


@pytest.mark.parametrize(
    ("strategy", "space", "limit"),
    [
        ("regularized-evolution:population_size=6,tournament_size=3", "nasbench201-tiny", 25_000),
        ("local-search", "nasbench201-tiny", 25_000),
        ("local-search:move=first,starts=3", "nasbench201-tiny", 25_000),
        ("random-search", "nasbench201-tiny", 25_000),
        ("reinforce", "nasbench201", 400_000),
    ],
)
def test_strategies_go_on_where_a_limit_refuses_many(plan, search, strategy, space, limit) -> None:
    made = plan(space=space, evaluator="random", strategy=strategy, evaluations=25, limits=(("params", limit),))
    history = search(made)
    assert len(history.steps) == 25
    assert len(history.refused) > 5
    assert all(step.costs[0] <= limit for step in history.steps)
    assert all(step.costs[0] > limit for step in history.refused)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"limits": (("toy-width", 2000),)}, r"limits \(toy-width <= 1500 in the file, toy-width <= 2000 now\)"),
        ({"limits": ()}, r"limits \(toy-width <= 1500 in the file, none now\)"),
        ({"minimize": ("test_accuracy",)}, r"costs to minimise \(none in the file, noise/test_accuracy@5 now\)"),
    ],
)
def test_resume_with_other_costs_is_refused(plan, search, changes, difference) -> None:
    given = {"evaluations": 2, "limits": (("toy-width", 1500),)}
    search(plan(**given))
    with pytest.raises(ResultsFileError, match=f"made by another search; it differs in: {difference}"):
        search(plan(**given | changes), resume=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limits": (("toy-width", 0.0),)}, "limit of 'toy-width' must be a finite number above 0, got 0"),
        ({"limits": (("toy-width", math.nan),)}, "must be a finite number above 0, got nan"),
        ({"limits": (("toy-width", math.inf),)}, "must be a finite number above 0, got inf"),
        ({"limits": (("toy-wide", 1.0),)}, "Unknown cost 'toy-wide'. Did you mean 'toy-width'"),
        ({"minimize": ("test_acuracy",)}, "Unknown cost 'test_acuracy'. Did you mean 'noise/test_accuracy@5'"),
        ({"limits": (("toy-width", 1.0), ("toy-width", 2.0))}, "'toy-width' has two limits, 1 and 2"),
        ({"minimize": ("test_accuracy", "noise/test_accuracy@5")}, "is to be minimised twice"),
        ({"minimize": ("toy-random",)}, "'toy-random' is the score of this search"),
        ({"limits": (("vote", 1.0),)}, "cannot have as a cost the aggregate 'vote'"),
        ({"limits": (("synflow", 1.0),), "evaluator": "toy-wide"}, "Did you mean 'toy-width'"),
        ({"limits": (("toy-width:mod=1", 1.0),)}, "has no setting 'mod'"),
        ({"strategy": "nsga2"}, "'nsga2' searches for a Pareto front: it needs a cost beside the score"),
        ({"strategy": "successive-halving"}, "the evaluator 'toy-random' cannot.* Use one that has: .*cls"),
    ],
)
def test_bad_input(plan, given, message) -> None:
    with pytest.raises(UsageError, match=message):
        plan(**given)


def test_an_evaluation_at_a_fidelity_that_is_not_there_is_a_fault_of_the_plugin(plan, search) -> None:
    with pytest.raises(PluginError, match="at fidelity 1, which it does not have"):
        search(plan([PartialEvaluation("width-1", 1)]))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda group: describe(group, costs=json.dumps([{"evaluator": "none", "limit": 1, "minimized": True}])),
            "none",
        ),
        (
            lambda group: describe(group, costs=json.dumps([])),
            "its evaluators are not those that its search names",
        ),
        (lambda group: describe(group, costs="[7]"), "not subscriptable"),
        (
            lambda group: describe(group, costs='[{"metric": "m", "limit": "1", "minimized": true}]'),
            "that is no number",
        ),
        (lambda group: describe(group, lower_fidelities='["toy-width"]'), "its search and its hash differ"),
    ],
)
def test_damaged_costs_are_refused(plan, search, tmp_path, spoil, message) -> None:
    search(plan(evaluations=2, limits=(("toy-width", 3000),)))
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        spoil(file["search"])
    with pytest.raises(ResultsFileError, match=f"s.h5' is damaged or not a results file .*{message}"):
        read_search(tmp_path / "s.h5")
