import pytest
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.errors import PluginError
from nasbench_toolkit.core.interfaces import SearchStrategy
from nasbench_toolkit.core.search.storage import read_search


class Scripted(SearchStrategy):
    """Proposes what ``batches`` says, one batch an ask, then nothing."""

    batches = ()

    def __init__(self, space, settings, seed):
        super().__init__(space, settings, seed)
        self.left = list(self.batches)

    def ask(self, count):
        return self.left.pop(0) if self.left else []

    def tell(self, architecture, fitness):
        pass


def scripted(*batches):
    return type("Scripted", (Scripted,), {"batches": batches})


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
    assert history.incumbents()[-1] == 3


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


def test_strategy_that_ends_early_ends_the_search_which_is_exhausted(search_plan, search, tmp_path) -> None:
    strategy = scripted(["width-1"], ["width-2"])
    history = search(search_plan(strategy=strategy, evaluations=10))
    assert (len(history.steps), history.exhausted) == (2, True)
    assert read_search(tmp_path / "s.h5").exhausted
    stopped = search(search_plan(strategy=strategy, evaluations=2), "stopped.h5")
    assert (len(stopped.steps), stopped.exhausted) == (2, False)
    assert search(search_plan(strategy=strategy, evaluations=3), "stopped.h5", resume=True).exhausted


def test_strategy_that_breaks_its_contract_leaves_a_file_that_reads(search_plan, search, tmp_path) -> None:
    with pytest.raises(PluginError, match="strategy 'scripted' of toy-plugin 1.0 proposed what is not of 'toy'"):
        search(search_plan(strategy=scripted(["width-1"], ["nonsense"])))
    assert read_search(tmp_path / "s.h5").header.strategy == "scripted"
