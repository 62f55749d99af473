import pytest
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.errors import PluginError, UnsupportedSearchSpaceError
from nasbench_toolkit.core.interfaces import SearchStrategy
from nasbench_toolkit.core.search.storage import read_search


class Scripted(SearchStrategy):
    """Proposes what ``batches`` says, one batch an ask, then nothing; keeps what happens in ``events``."""

    batches = ()

    def __init__(self, space, settings, seed):
        super().__init__(space, settings, seed)
        self.left = list(self.batches)
        self.events = []
        Scripted.last = self

    def ask(self, count):
        batch = self.left.pop(0) if self.left else []
        self.events.append(("ask", count, batch))
        return batch

    def tell(self, architecture, fitness):
        self.events.append(("tell", architecture, fitness))


def scripted(*batches):
    return type("Scripted", (Scripted,), {"batches": batches})


def test_one_at_a_time_is_the_textbooks_loop(search_plan, search) -> None:
    strategy = scripted(["width-3"], ["width-4"], ["width-5"])
    history = search(search_plan(strategy=strategy, evaluations=2))
    assert Scripted.last.events == [
        ("ask", 1, ["width-3"]),
        ("tell", "width-3", 3.0),
        ("ask", 1, ["width-4"]),
        ("tell", "width-4", 4.0),
    ]
    assert [(step.architecture, step.fitness) for step in history.steps] == [("width-3", 3.0), ("width-4", 4.0)]


def test_window_is_filled_up_and_the_oldest_told_first(search_plan, search) -> None:
    strategy = scripted(["width-1"], ["width-2", "width-3"], [], ["width-4"])
    search(search_plan(strategy=strategy, evaluations=10, parallel=2))
    assert Scripted.last.events == [
        ("ask", 2, ["width-1"]),
        ("tell", "width-1", 1.0),
        ("ask", 2, ["width-2", "width-3"]),
        ("tell", "width-2", 2.0),
        ("ask", 1, []),
        ("tell", "width-3", 3.0),
        ("ask", 2, ["width-4"]),
        ("tell", "width-4", 4.0),
        ("ask", 2, []),
    ]


def test_never_more_proposals_than_evaluations(search_plan, search) -> None:
    history = search(search_plan(strategy=scripted(["width-1", "width-2", "width-3"]), evaluations=3, parallel=8))
    assert Scripted.last.events[0][1] == 3
    assert len(history.steps) == 3


def test_isomorphic_architectures_are_scored_once_and_told_as_spelled(search_plan, search) -> None:
    strategy = scripted(["width-3", "width-03", "width-4"], ["width-003"])
    history = search(search_plan("toy-random", strategy=strategy, parallel=3))
    assert [step.architecture for step in history.steps] == ["width-3", "width-03", "width-4", "width-003"]
    assert [step.arch_id for step in history.steps] == ["width-3", "width-3", "width-4", "width-3"]
    assert [step.repeated for step in history.steps] == [False, True, False, True]
    assert history.steps[0].record == history.steps[1].record == history.steps[3].record
    assert history.results.arch_ids == ("width-3", "width-4")


def test_failures_are_told_as_none_and_cost_no_more_than_a_step(search_plan, search) -> None:
    strategy = scripted(["width-8"], ["width-9"], ["width-11"], ["width-15"], ["width-08"])
    history = search(search_plan("toy-misbehaving", strategy=strategy), time_limit=1.0)
    assert [step.record.status for step in history.steps] == [
        Status.CRASHED, Status.TIMEOUT, Status.FAILED, Status.OK, Status.CRASHED,
    ]  # fmt: skip
    assert [step.fitness for step in history.steps] == [None, None, None, 15.0, None]
    assert history.best_so_far()[-1] == 3


def test_steps_do_not_depend_on_the_number_of_workers(search_plan, search, without_times) -> None:
    one = search(search_plan("toy-random", parallel=3), "one.h5")
    three = search(search_plan("toy-random", parallel=3), "three.h5", devices=("cpu",) * 3)
    assert without_times(one) == without_times(three)


def test_steps_depend_on_the_seed_and_on_parallel(search_plan, search) -> None:
    def architectures(**changes):
        history = search(search_plan("toy-random", evaluations=8, **changes), "-".join(map(str, changes)) + "s.h5")
        return [step.architecture for step in history.steps]

    assert architectures() != architectures(parallel=3)
    assert architectures(seed=1, parallel=1) != architectures(seed=2, parallel=1, strategy=scripted(["width-1"]))


def test_scores_are_those_of_a_run(search_plan, toy_plan, search, tmp_path) -> None:
    from nasbench_toolkit.core.jobs.run import RunOptions, run_plan

    history = search(search_plan("toy-random", evaluations=5))
    plan = toy_plan(("toy-random",), architectures=tmp_path / "s.h5")
    results = run_plan(plan, RunOptions(tmp_path / "run.h5", ("cpu",)), lambda *_: None, lambda _: None)
    scores = [[record.score for record in part.records] for part in (*history.results.evaluators, *results.evaluators)]
    assert scores[0] == scores[1]


def test_every_step_is_on_disk_before_it_is_reported(search_plan, search, tmp_path) -> None:
    seen = []
    search(
        search_plan(evaluations=5, parallel=2),
        on_step=lambda step, number: seen.append((number, len(read_search(tmp_path / "s.h5").steps) >= number)),
    )
    assert seen == [(number, True) for number in range(1, 6)]


def test_strategy_that_ends_early_ends_the_search(search_plan, search) -> None:
    assert len(search(search_plan(strategy=scripted(["width-1"]), evaluations=10)).steps) == 1


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([[]], "made no proposal at all"),
        ([["width-1", "width-2"]], "was asked for 1 proposals and made 2"),
        ([["nonsense"]], "proposed what is not of 'toy': 'nonsense' is not a width"),
        ([["width-1"], [7]], "proposed 7, which is no text"),
        ([None], "failed with TypeError"),
    ],
)
def test_strategy_that_breaks_its_contract_is_named(search_plan, search, tmp_path, batches, message) -> None:
    with pytest.raises(PluginError, match=f"strategy 'Scripted' of toy-plugin 1.0 {message}.* fault of its plugin"):
        search(search_plan(strategy=scripted(*batches)))
    assert read_search(tmp_path / "s.h5").header.strategy == "Scripted"


def test_strategys_own_errors_pass(search_plan, search) -> None:
    class Mutating(Scripted):
        def ask(self, count):
            import numpy as np

            return [self.space.mutate("width-1", np.random.default_rng(0))]

    with pytest.raises(UnsupportedSearchSpaceError, match="has no mutation"):
        search(search_plan(strategy=Mutating))
