import dataclasses
import itertools

import h5py
import numpy as np
import pytest
from nasbench_toolkit.core.errors import PluginError, ResultsFileError, UsageError
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search.outcome import find_outcome
from nasbench_toolkit.core.search.planning import SearchRequest, make_search_plans
from nasbench_toolkit.core.search.storage import read_search

# 'toy-walk@ep9' passes through the scores of 'toy-walk@ep1' and 'toy-walk@ep3'.
LABELS = ["toy-walk@ep1", "toy-walk@ep3", "toy-walk@ep9"]


@pytest.fixture
def plan(toy_plugins):
    def make(evaluator="toy-walk@ep9", strategy="successive-halving:starts=9", **given):
        (made,) = make_search_plans(SearchRequest("toy", evaluator, strategy, **given), toy_plugins)
        return made

    return make


def test_a_bracket_by_hand(plan, search, tmp_path) -> None:
    history = search(plan(evaluations=13))
    rungs = [[step for step in history.steps if step.rung == rung] for rung in range(3)]
    assert [len(steps) for steps in rungs] == [9, 3, 1]
    assert [header.label for header in history.header.rungs] == LABELS
    for steps, following in itertools.pairwise(rungs):
        best = sorted(steps, key=lambda step: -step.fitness)[: len(following)]
        assert [step.arch_id for step in following] == [step.arch_id for step in best]
    # The longest walk of the one that was found passes through the scores of the lower rungs.
    (found,) = rungs[2]
    walk = found.record.curves["position"]
    assert len(walk) == 9
    scores = [next(step.fitness for step in steps if step.arch_id == found.arch_id) for steps in rungs]
    assert scores == [walk[0], walk[2], walk[8]]
    assert not any(step.repeated for step in history.steps)
    assert read_search(tmp_path / "s.h5").steps == history.steps


def test_only_full_evaluations_can_be_the_best(plan, search) -> None:
    history = search(plan(evaluations=13))
    outcome = find_outcome(history, None)
    assert history.incumbents() == [None] * 12 + [12]
    assert (outcome.best, outcome.best_evaluation) == (history.steps[12], 13)
    assert outcome.evaluations_by_fidelity == dict(zip(LABELS, [9, 3, 1], strict=True))
    assert (outcome.evaluations, outcome.architectures) == (13, 9)
    assert find_outcome(search(plan(evaluations=12), "short.h5"), None).best is None


def test_jobs_that_were_not_needed_are_pending_in_the_file(plan, search, tmp_path) -> None:
    search(plan(evaluations=13))
    parts = read_results(tmp_path / "s.h5").evaluators
    assert [part.header.label for part in parts] == [LABELS[2], LABELS[0], LABELS[1]]
    assert [part.done for part in parts] == [1, 9, 3]


@pytest.mark.parametrize("parallel", [1, 4])
def test_resumed_and_longer_searches_have_the_steps_of_whole_ones(plan, search, without_times, parallel) -> None:
    given = {"parallel": parallel, "limits": (("toy-width", 2500),), "minimize": ("test_accuracy",)}
    whole = search(plan(evaluations=30, **given), "whole.h5")
    for evaluations in (1, 9, 10, 12, 13, 30):
        resumed = search(plan(evaluations=evaluations, **given), resume=True)
    assert without_times(resumed) == without_times(whole)
    assert [step.rung for step in resumed.steps] == [step.rung for step in whole.steps]
    assert resumed.refused == whole.refused != ()


def test_refused_architectures_are_replaced_at_the_lowest_rung(plan, search) -> None:
    history = search(plan(evaluations=13, limits=(("toy-width", 1000),)))
    assert [step.rung for step in history.steps] == [0] * 9 + [1] * 3 + [2]
    assert len(history.refused) > 5
    assert {step.rung for step in history.refused} == {0}


def test_journal_of_an_unfinished_search_keeps_fidelities(plan, search, tmp_path) -> None:
    read = []

    def on_step(step, number):
        if number == 11:
            read.append([stored.rung for stored in read_search(tmp_path / "s.h5").steps])

    search(plan(evaluations=13), on_step=on_step)
    assert read == [[0] * 9 + [1] * 2]


def test_settings_beside_the_length_stay(plan) -> None:
    made = plan("toy-walk:mode=slow,steps=18")
    assert [header.label for header in made.header.rungs] == [
        "toy-walk@ep2:mode=slow", "toy-walk@ep6:mode=slow", "toy-walk@ep18:mode=slow",
    ]  # fmt: skip
    assert [spec.settings.steps for spec in made.evaluators] == [18, 2, 6]
    assert {spec.settings.mode for spec in made.evaluators} == {"slow"}


def test_lengths_are_rounded_and_at_least_one(plan) -> None:
    assert [header.settings["steps"] for header in plan("toy-walk@ep5").header.rungs] == [1, 2, 5]


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        ("toy-walk@ep2", "too short for 'successive-halving': its 3 fidelities would be steps 1, 1, 2"),
        ("toy-width", "the evaluator 'toy-width' cannot: .* Use one that has: cls, .*toy-walk"),
    ],
)
def test_evaluators_that_cannot_be_stopped_early(plan, evaluator, message) -> None:
    with pytest.raises(UsageError, match=message):
        plan(evaluator)


def test_resume_with_other_fidelities_is_refused(plan, search) -> None:
    search(plan(evaluations=3))
    other = plan(evaluations=3, strategy="successive-halving:starts=9,rungs=2")
    with pytest.raises(
        ResultsFileError, match="lower fidelities .toy-walk@ep1, toy-walk@ep3 in the file, toy-walk@ep3 no"
    ):
        search(other, resume=True)


def test_fidelities_that_do_not_ascend_are_a_fault_of_the_plugin(plan, monkeypatch) -> None:
    strategy = type(plan().strategy.make())
    monkeypatch.setattr(strategy, "fidelities", (1.0, 0.5))
    with pytest.raises(
        PluginError, match="expected a tuple of numbers above 0 that ascend to 1. This is a fault of its plugin"
    ):
        plan()


@pytest.mark.parametrize(
    ("rungs", "message"),
    [
        (np.full(13, 3), "names fidelities that are not there"),
        (np.full(13, -1), "names fidelities that are not there"),
        (np.zeros(12, int), "must hold 13 whole numbers"),
    ],
)
def test_damaged_fidelities_are_refused(plan, search, tmp_path, rungs, message) -> None:
    search(plan(evaluations=13))
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        del file["search"]["rungs"]
        file["search"]["rungs"] = rungs
    with pytest.raises(ResultsFileError, match=f"s.h5' is damaged or not a results file .*{message}"):
        read_search(tmp_path / "s.h5")


def test_strategy_that_proposes_another_fidelity_than_before_is_refused(plan, search, climb) -> None:
    made = plan(evaluations=3)
    search(made)

    def another(space, settings, seed):
        strategy = made.strategy.make()
        ask = strategy.ask
        strategy.ask = lambda count: [dataclasses.replace(proposal, rung=1) for proposal in ask(count)]
        return strategy

    spec = climb["make_spec"](another, made.space)
    with pytest.raises(
        ResultsFileError, match="proposal 1 had the fidelity 'toy-walk@ep1' then and has 'toy-walk@ep3' now"
    ):
        search(dataclasses.replace(made, strategy=spec), resume=True)
