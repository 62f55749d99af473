import dataclasses
import json
import re

import pytest
from nasbench_toolkit.core.asktell.options import SearchOptions
from nasbench_toolkit.core.errors import ResultsFileError
from nasbench_toolkit.core.jobs.executor import ProcessExecutor
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory
from nasbench_toolkit.core.results.lines import encode_line
from nasbench_toolkit.core.task_search.history import TaskHistory
from nasbench_toolkit.core.task_search.loop import best_of, run_task_search
from nasbench_toolkit.core.task_search.planning import TaskSearchRequest, make_task_search_plan
from nasbench_toolkit.core.task_search.scoring import TaskStatus

EVOLUTION = "regularized-evolution:population_size=4,tournament_size=2"


@pytest.fixture
def make_plan(toy_plugins, tmp_path):
    """Make a plan for 'toy-slope', whose tasks are lines, on widths that are their own labels."""
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("architecture,label\n" + "".join(f"width-{width},{width}\n" for width in (7, 2, 9, 4, 1, 6, 3)))

    def make(strategy=EVOLUTION, evaluator="toy-slope", tasks=10, **request):
        return make_task_search_plan(
            TaskSearchRequest("toy", labelled, evaluator, strategy, evaluations=tasks, **request), toy_plugins
        )

    return make


@pytest.fixture
def search(tmp_path):
    """Run a task search and return its outcomes, without what depends on time."""

    def run(plan, name="task.json", workers=1, **options):
        options = SearchOptions(tmp_path / name, ("cpu",) * workers, **options)
        outcomes = run_task_search(plan, options, lambda outcome: None)
        return [
            dataclasses.replace(
                outcome, records=tuple(repr(dataclasses.replace(record, cost=None)) for record in outcome.records)
            )
            for outcome in outcomes
        ]

    return run


def without_early_end(outcome):
    return outcome.number, outcome.design


def test_abandoning_changes_neither_the_proposals_nor_what_is_found(make_plan, search) -> None:
    plan = make_plan("random-search", tasks=30)
    assert not plan.learns
    early = search(plan, "early.json", workers=2)
    whole = search(dataclasses.replace(plan, learns=True), "whole.json", workers=2)
    assert best_of(early) == best_of(whole)
    assert [without_early_end(outcome) for outcome in early] == [without_early_end(outcome) for outcome in whole]
    abandoned = [outcome for outcome in early if outcome.status is TaskStatus.ABANDONED]
    assert len(abandoned) > 10
    for outcome in abandoned:
        best_before = best_of(whole[: outcome.number])
        assert whole[outcome.number].fitness <= outcome.bound < best_before.fitness
        assert outcome.records == whole[outcome.number].records[: len(outcome.records)]
    ranked = [outcome for outcome in early if outcome.status is TaskStatus.RANKED]
    assert ranked == [whole[outcome.number] for outcome in ranked]


@pytest.mark.parametrize("strategy", [EVOLUTION, "random-search"])
@pytest.mark.parametrize("parallel", [1, 3])
def test_the_number_of_workers_changes_nothing(make_plan, search, strategy, parallel) -> None:
    plan = make_plan(strategy, parallel=parallel, tasks=12)
    assert search(plan, "one.json", workers=1) == search(plan, "three.json", workers=3)


def test_a_search_without_abandoning_is_another_search(make_plan, search) -> None:
    plan = make_plan("random-search", tasks=2)
    search(plan)
    with pytest.raises(ResultsFileError, match="differs in: abandons"):
        search(dataclasses.replace(plan, learns=True), resume=True)


def test_a_strategy_that_proposes_another_task_than_before_is_refused(make_plan, search, tmp_path) -> None:
    plan = make_plan(tasks=2)
    search(plan)
    before = (tmp_path / "task.json.history").read_bytes()
    other = dataclasses.replace(plan, strategy=dataclasses.replace(plan.strategy, seed=1))
    with pytest.raises(ResultsFileError, match="another version of the search strategy.*proposal 1 had the task '"):
        search(other, resume=True)
    assert (tmp_path / "task.json.history").read_bytes() == before


def test_the_best_task_is_the_one_of_the_history_and_its_scores_those_of_a_run(
    make_plan, search, tmp_path, toy_plugins
) -> None:
    plan = make_plan()
    best = best_of(search(plan))
    assert json.loads((tmp_path / "task.json").read_text()) == json.loads(best.design)
    info, dataset = toy_plugins.search_space("toy").info, toy_plugins.dataset("noise").info
    read = EvaluatorFactory(info, dataset, toy_plugins).make(f"toy-slope:task={tmp_path / 'task.json'}")
    assert read.header.settings_hash == plan.evaluator_with(best.design).header.settings_hash


def test_repeated_tasks_cost_nothing_and_count(make_plan, search, tmp_path) -> None:
    # One in five children of the toy space is its parent.
    outcomes = search(make_plan(tasks=30))
    repeated = [outcome for outcome in outcomes if outcome.repeated]
    assert repeated
    firsts = {outcome.design: outcome for outcome in reversed(outcomes) if not outcome.repeated}
    for outcome in repeated:
        assert outcome == dataclasses.replace(firsts[outcome.design], number=outcome.number, repeated=True)
    assert (tmp_path / "task.json.history").read_text().count('"job"') == 7 * (30 - len(repeated))


def test_networks_without_a_score_rank_last_and_none_with_one_is_no_fitness(make_plan, search, tmp_path) -> None:
    some = search(make_plan(evaluator="toy-slope:modulus=3", tasks=4), "some.json")
    assert all(outcome.fitness is not None for outcome in some)
    none = search(make_plan(evaluator="toy-slope:modulus=1", tasks=4), "none.json")
    assert [outcome.status for outcome in none] == [TaskStatus.UNRANKED] * 4
    assert best_of(none) is None
    assert not (tmp_path / "none.json").exists()


def test_a_task_or_a_history_alone_is_not_overwritten(make_plan, search, tmp_path) -> None:
    plan = make_plan(tasks=1)
    (tmp_path / "task.json").write_text("mine")
    for options in ({}, {"resume": True}):
        with pytest.raises(ResultsFileError, match="exists without the history of its search"):
            search(plan, **options)
        assert (tmp_path / "task.json").read_text() == "mine"
        assert not (tmp_path / "task.json.history").exists()
    (tmp_path / "other.json.history").write_text("mine, without a line feed")
    with pytest.raises(ResultsFileError, match="exists. Continue its search with --resume"):
        search(plan, "other.json")
    with pytest.raises(ResultsFileError, match="is no history of a task search"):
        search(plan, "other.json", resume=True)
    assert (tmp_path / "other.json.history").read_text() == "mine, without a line feed"
    search(plan, overwrite=True)
    assert (tmp_path / "task.json").read_text() != "mine"


def test_more_tasks_than_asked_for_are_refused(make_plan, search) -> None:
    search(make_plan(tasks=3))
    with pytest.raises(ResultsFileError, match="has 3 tasks already, 2 were asked for"):
        search(make_plan(tasks=2), resume=True)


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_resumed_search_never_puts_a_worse_task_in_the_place_of_a_better_one(
    make_plan, search, tmp_path, parallel
) -> None:
    tasks = best_of(search(make_plan(tasks=20, parallel=parallel), "longer.json")).number + 1
    assert tasks > 3
    # The best of this one comes last.
    plan, output = make_plan(tasks=tasks, parallel=parallel), tmp_path / "task.json"
    search(plan)
    found, seen = output.read_bytes(), []
    options = SearchOptions(output, ("cpu",), resume=True)
    run_task_search(plan, options, lambda outcome: seen.append(output.read_bytes()))
    assert seen == [found] * tasks
    # A kill may come between a record and the task that it makes the best.
    output.unlink()
    run_task_search(plan, options, lambda outcome: None)
    assert output.read_bytes() == found


def last_first(interrupt_after=None):
    """Make executors that hand back the last of the jobs first, and are interrupted after some records."""

    class LastFirst(ProcessExecutor):
        handed_back = 0

        def collect(self):
            ended = []
            while self.unfinished:
                ended += super().collect()
            for outcome in sorted(ended, key=lambda each: each[0], reverse=True):
                if self.handed_back == interrupt_after:
                    raise KeyboardInterrupt
                self.handed_back += 1
                yield outcome

    return LastFirst


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("strategy", [EVOLUTION, "random-search"])
def test_an_interrupt_loses_no_record_whichever_networks_end_first(
    make_plan, search, tmp_path, strategy, parallel
) -> None:
    plan = make_plan(strategy, tasks=8, parallel=parallel)
    whole = search(plan, "whole.json")
    for ended in (1, 6, 8, 12):
        with pytest.raises(KeyboardInterrupt):
            search(plan, f"{ended}.json", workers=3, start_executor=last_first(ended))
        assert (tmp_path / f"{ended}.json.history").read_bytes().count(b'"job"') == ended
        assert search(plan, f"{ended}.json", workers=2, resume=True) == whole
        assert (tmp_path / f"{ended}.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_records_that_came_before_a_task_was_abandoned_count_neither_then_nor_when_resumed(
    make_plan, search, tmp_path
) -> None:
    plan = make_plan("random-search", tasks=30)
    whole = search(plan, "whole.json")
    assert search(plan, workers=3, start_executor=last_first()) == whole
    counted = sum(len(outcome.records) for outcome in whole if not outcome.repeated)
    assert (tmp_path / "task.json.history").read_bytes().count(b'"job"') > counted
    assert search(plan, resume=True) == whole


def test_a_record_that_is_there_twice_or_of_no_architecture_is_damage(make_plan, search, tmp_path) -> None:
    plan, path = make_plan(tasks=1), tmp_path / "task.json.history"
    search(plan)
    content = path.read_bytes()
    last = json.loads(content.splitlines()[-1][9:])
    for job, message in (([0, 6], "proposal 1 has architecture 7 already"), ([0, 7], "there is no architecture 8")):
        path.write_bytes(content + encode_line(last | {"job": job}))
        with pytest.raises(ResultsFileError, match=message):
            search(plan, resume=True)


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("strategy", [EVOLUTION, "random-search"])
def test_a_search_cut_off_anywhere_goes_on_to_the_same_history(make_plan, search, tmp_path, strategy, parallel) -> None:
    plan = make_plan(strategy, tasks=12, parallel=parallel)
    whole = search(plan, "whole.json")
    content = (tmp_path / "whole.json.history").read_bytes()
    first_line = content.index(b"\n") + 1
    for share in (0, 0.1, 0.35, 0.6, 0.99):
        (tmp_path / "cut.json.history").write_bytes(content[: first_line + int(share * (len(content) - first_line))])
        assert search(plan, "cut.json", workers=2, resume=True) == whole
        assert (tmp_path / "cut.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_history_cut_at_any_place_loses_only_the_line_that_is_cut(make_plan, search, tmp_path) -> None:
    plan = make_plan("random-search", tasks=2)
    search(plan)
    (tmp_path / "task.json").unlink()
    path = tmp_path / "task.json.history"
    content = path.read_bytes()
    entries = [json.loads(line[9:]) for line in content.split(b"\n")[1:-1]]
    # Lines are those of a journal, which is cut at every place in tests/core/results.
    ends = {match.end() for match in re.finditer(b"\n", content)}
    for cut in sorted({*range(0, len(content), 7), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends)}):
        path.write_bytes(content[:cut])
        known = entries[: max(0, content[:cut].count(b"\n") - 1)]
        with TaskHistory.open(plan, SearchOptions(tmp_path / "task.json", ("cpu",), resume=True), {}) as history:
            assert history.replay.stored == sum("task" in entry for entry in known)
            scores = [record.score for records in history.records for record in records.values()]
            assert scores == [entry["score"] for entry in known if "score" in entry]


@pytest.mark.parametrize("content", [b"mine", b"0123abcd mine", b"0123abcd {}", b'0123abcd {"format":"mine"}\n'])
def test_a_file_of_somebody_else_is_no_cut_history(make_plan, tmp_path, content) -> None:
    path = tmp_path / "task.json.history"
    path.write_bytes(content)
    with (
        pytest.raises(ResultsFileError, match=r"task.json.history' is (no history of a task search|damaged at line 1)"),
        TaskHistory.open(make_plan(), SearchOptions(tmp_path / "task.json", ("cpu",), resume=True), {}),
    ):
        pass
    assert path.read_bytes() == content


def test_a_longer_search_continues_a_shorter_one(make_plan, search) -> None:
    short = search(make_plan(tasks=6))
    longer = search(make_plan(tasks=9), resume=True)
    assert longer[:6] == short
    assert longer == search(make_plan(tasks=9), "at-once.json")
