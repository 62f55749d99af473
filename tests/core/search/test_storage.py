import dataclasses
import json
import re
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest
from nasbench_toolkit.core.asktell.loop import Proposal
from nasbench_toolkit.core.domain import Record, Status
from nasbench_toolkit.core.errors import ResultsFileError
from nasbench_toolkit.core.hdf5.writing import write_attributes
from nasbench_toolkit.core.jobs import executor
from nasbench_toolkit.core.results.contents import NewArchitecture
from nasbench_toolkit.core.results.journal import Journal, architecture_to_json, journal_path, record_to_json
from nasbench_toolkit.core.results.merge import merge_results
from nasbench_toolkit.core.results.run_writer import ResultsWriter
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search.proposals import proposal_to_json
from nasbench_toolkit.core.search.storage import read_search, read_stored_search

CLIMB = Path(__file__).with_name("climb.py")


def stop_after(count):
    """Return a callback that ends a search as Ctrl-C does."""

    def on_step(step, number):
        if number == count:
            raise KeyboardInterrupt

    return on_step


def interrupt(search, plan, count, **options):
    with pytest.raises(KeyboardInterrupt):
        search(plan, on_step=stop_after(count), **options)


@pytest.fixture(scope="module")
def kept_search():
    """Hold the history and the file of a search, once a test has made it."""
    return []


@pytest.fixture
def finished_search(kept_search, search_plan, search, tmp_path):
    """Leave the file of a finished search, which is made once for all tests, and return its history."""
    path = tmp_path / "s.h5"
    if kept_search:
        path.write_bytes(kept_search[1])
    else:
        kept_search += [search(search_plan()), path.read_bytes()]
    return kept_search[0]


def test_search_comes_back_as_it_was(search_plan, search, tmp_path) -> None:
    history = search(search_plan("toy-random", parallel=2))
    assert read_search(tmp_path / "s.h5") == history
    assert len(history.steps) == 12
    assert not journal_path(tmp_path / "s.h5").exists()


def test_search_file_is_a_results_file_with_ground_truth(search_plan, search, tmp_path) -> None:
    history = search(search_plan())
    results = read_results(tmp_path / "s.h5")
    assert results == history.results
    assert results.arch_ids == tuple(dict.fromkeys(step.arch_id for step in history.steps))
    assert [f"width-{value:.0f}" for value in results.ground_truth[0].values] == list(results.arch_ids)
    assert results.plan.sampling == "proposed by 'climb'"


@pytest.mark.parametrize("parallel", [1, 3])
def test_resumed_search_has_the_steps_of_an_uninterrupted_one(
    search_plan, search, tmp_path, without_times, parallel
) -> None:
    plan = search_plan("toy-random", parallel=parallel)
    whole = search(plan, "whole.h5")
    for count in (1, 4, 9):
        interrupt(search, plan, count, resume=True)
        assert without_times(read_search(tmp_path / "s.h5"))[:count] == without_times(whole)[:count]
    reported = []
    resumed = search(plan, on_step=lambda step, number: reported.append(number), resume=True)
    assert without_times(resumed) == without_times(whole)
    assert reported == list(range(1, 13))
    assert read_results(tmp_path / "s.h5").arch_ids == whole.results.arch_ids


def test_resumed_search_computes_nothing_twice(search_plan, search, monkeypatch) -> None:
    plan = search_plan("toy-random")
    first = search(plan)
    monkeypatch.setattr(executor, "Worker", None)
    assert search(plan, resume=True) == first


def test_search_can_be_made_longer_but_not_shorter(search_plan, search, without_times) -> None:
    search(search_plan("toy-random", evaluations=5, parallel=3))
    longer = search(search_plan("toy-random", evaluations=9, parallel=3), resume=True)
    whole = search(search_plan("toy-random", evaluations=9, parallel=3), "whole.h5")
    assert without_times(longer) == without_times(whole)
    with pytest.raises(ResultsFileError, match="has 9 evaluations already, 8 were asked for"):
        search(search_plan("toy-random", evaluations=8, parallel=3), resume=True)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, r"seed \(0 in the file, 1 now\)"),
        ({"parallel": 2}, r"parallel \(1 in the file, 2 now\)"),
        ({"evaluator": "toy-random"}, r"evaluator \(toy-width in the file, toy-random now\)"),
    ],
)
def test_resume_of_another_search_is_refused(search_plan, search, tmp_path, changes, difference) -> None:
    search(search_plan())
    before = (tmp_path / "s.h5").read_bytes()
    with pytest.raises(ResultsFileError, match=f"made by another search; it differs in: {difference}"):
        search(search_plan(**changes), resume=True)
    assert (tmp_path / "s.h5").read_bytes() == before


def test_resume_with_other_math_threads_is_refused(search_plan, search) -> None:
    search(search_plan())
    with pytest.raises(ResultsFileError, match="were made with 1 math threads a worker, and 2 would change"):
        search(search_plan(), resume=True, threads=2)


def test_strategy_that_proposes_something_else_than_before_is_refused(search_plan, climb, search, tmp_path) -> None:
    search(search_plan())
    before = read_search(tmp_path / "s.h5")

    class Other(climb["Climb"]):
        def ask(self, count):
            return ["width-2999"] if len(self.told) == 2 else super().ask(count)

    Other.__name__ = "Climb"
    with pytest.raises(
        ResultsFileError,
        match=r"another version of the search strategy.*proposal 3 had the architecture .* has 'width-2999' now",
    ):
        search(search_plan(strategy=Other), resume=True)
    assert read_search(tmp_path / "s.h5") == before

    class Silent(climb["Climb"]):
        def ask(self, count):
            return [] if len(self.told) == 2 else super().ask(count)

    Silent.__name__ = "Climb"
    with pytest.raises(ResultsFileError, match=r"it made 12 proposals then and 2 now"):
        search(search_plan(strategy=Silent), resume=True)
    assert read_search(tmp_path / "s.h5") == before


def test_existing_file_is_replaced_only_when_asked_to(search_plan, search) -> None:
    search(search_plan())
    with pytest.raises(ResultsFileError, match="exists. Continue it with --resume"):
        search(search_plan())
    assert search(search_plan(seed=5), overwrite=True).header.seed == 5


def test_unfinished_search_reads_with_its_journal(search_plan, search, tmp_path) -> None:
    path, read = tmp_path / "s.h5", []

    def on_step(step, number):
        with h5py.File(path) as file:
            read.append((len(file["architectures"]), read_search(path), read_results(path)))

    whole = search(search_plan(evaluations=6), on_step=on_step)
    assert len(read) == 6
    for number, (in_file, history, results) in enumerate(read, start=1):
        assert in_file == 0
        assert list(history.steps) == list(whole.steps[:number])
        assert [f"width-{value:.0f}" for value in results.ground_truth[0].values] == list(results.arch_ids)


def test_ordinary_run_is_not_a_search_and_a_search_not_a_run(toy_plan, search_plan, search, tmp_path) -> None:
    with ResultsWriter.create(tmp_path / "run.h5", toy_plan(), {}, overwrite=False):
        pass
    with pytest.raises(ResultsFileError, match="made by a run, not by a search"):
        read_search(tmp_path / "run.h5")
    search(search_plan())
    same_architectures = toy_plan(("toy-width",), architectures=tmp_path / "s.h5")
    with pytest.raises(ResultsFileError, match="made by 'nasbench search'"):
        ResultsWriter.resume(tmp_path / "s.h5", same_architectures, {})


def test_files_of_searches_are_not_merged(search_plan, search, tmp_path) -> None:
    search(search_plan())
    with pytest.raises(ResultsFileError, match="s.h5' is a search, and a search has no shards"):
        merge_results([tmp_path / "s.h5", tmp_path / "s.h5"])


def replace_dataset(group, name, values):
    del group[name]
    group[name] = values


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda group: write_attributes(group, strategy="Other"), "its search and its hash differ"),
        (lambda group: write_attributes(group, strategy=7), "'strategy' must be a text, it is int"),
        (lambda group: write_attributes(group, strategy_settings="[]"), "must be a JSON object"),
        (lambda group: write_attributes(group, parallel="many"), "'parallel' must be a whole number"),
        (lambda group: replace_dataset(group, "positions", np.arange(3)), "must hold 12 whole numbers"),
        (lambda group: replace_dataset(group, "positions", np.zeros(12)), "must hold 12 whole numbers"),
        (lambda group: replace_dataset(group, "positions", np.full(12, 99)), "names architectures that are not there"),
        (lambda group: replace_dataset(group, "positions", np.full(12, 0)), "not those that were proposed"),
        (lambda group: replace_dataset(group, "proposals", np.zeros(12)), "must hold 12 texts"),
        (lambda group: replace_dataset(group, "rungs", np.full(12, 1)), "names fidelities that are not there"),
        (lambda group: write_attributes(group, exhausted="no"), "'exhausted' must be true or false"),
        (lambda group: write_attributes(group, costs="{}"), "'costs' must be a JSON list"),
        (lambda group: group.attrs.pop("lower_fidelities"), "it lacks the attribute 'lower_fidelities'"),
        (lambda group: write_attributes(group, encoding_type="other"), "should have encoding_type 'nasbench-search'"),
        (lambda group: group.pop("proposals"), "it has no '/search/proposals'"),
        (lambda group: group.file.pop("search"), "it has no '/search'"),
    ],
)
def test_damaged_search_is_refused(finished_search, tmp_path, spoil, message) -> None:
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        spoil(file["search"])
    with pytest.raises(ResultsFileError, match=f"s.h5' is damaged or not a results file .*{message}"):
        read_search(tmp_path / "s.h5")


def test_description_of_a_search_is_under_a_checksum(finished_search, tmp_path) -> None:
    path = tmp_path / "s.h5"
    content = path.read_bytes()
    with h5py.File(path) as file:
        kind = bytes(file["search"].attrs["encoding_type"])
    assert content.count(kind) == 1
    path.write_bytes(content.replace(kind, kind[:-1] + b"?"))
    with pytest.raises(ResultsFileError, match="s.h5' is damaged or not a results file .*checksum"):
        read_search(path)


def test_newer_group_of_a_search_is_refused_with_the_remedy(finished_search, tmp_path) -> None:
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        file["search"].attrs["encoding_version"] = 2
    with pytest.raises(ResultsFileError, match=r"'/search' in version 2 of nasbench-search, .* reads up to 1"):
        read_search(tmp_path / "s.h5")
    assert read_results(tmp_path / "s.h5") == finished_search.results


def joined(*ground_truth, arch_id="width-999"):
    return architecture_to_json(NewArchitecture(arch_id, ground_truth))


@pytest.fixture
def journal_of_a_search(finished_search, tmp_path):
    """Return the history of a search whose journal has some entries."""

    def make(*entries):
        journal = Journal(journal_path(tmp_path / "s.h5"), finished_search.header.search_id)
        journal.clear()
        for entry in entries:
            journal.append_line(entry)
        journal.close(remove=False)
        return finished_search

    return make


def proposed(index, rung=0, arch_id="width-999"):
    return proposal_to_json(index, Proposal(arch_id, arch_id, rung))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([proposed(13)], "another proposal 13"),
        ([proposed(0)], "another proposal 0"),
        ([proposed(12)], "not those that were proposed"),
        ([joined(1.0)], "does not fit .*: an architecture without its 2 values of ground truth"),
        ([joined(1.0, 1.0), joined(2.0, 2.0)], "does not fit .*: an architecture is listed twice"),
        ([joined(1.0, 1.0), proposed(12, rung=3)], "names fidelities that are not there"),
        ([joined(1.0, 1.0), joined(1.0, 1.0, arch_id="width-998")], "not those that were proposed"),
        ([{"kind": "proposal", "index": 12}], "has no valid proposal at line 2: it has no 'text'"),
        ([{"kind": "other"}], "a line of the unknown kind 'other' at 2"),
        ([record_to_json((0, 77), Record(Status.OK, 1.0))], "does not fit .*: there is no job 0, 77"),
        ([record_to_json((5, 0), Record(Status.OK, 1.0))], "does not fit .*: there is no job 5, 0"),
    ],
)
def test_journal_that_does_not_fit_is_refused(journal_of_a_search, tmp_path, entries, message) -> None:
    journal_of_a_search(*entries)
    with pytest.raises(ResultsFileError, match=message):
        read_search(tmp_path / "s.h5")


def test_kill_between_an_architecture_and_its_proposal_loses_the_architecture(
    journal_of_a_search, search_plan, search, tmp_path
) -> None:
    history = journal_of_a_search(joined(999.0, 1.0))
    assert read_results(tmp_path / "s.h5").arch_ids == (*history.results.arch_ids, "width-999")
    assert read_search(tmp_path / "s.h5") == history
    assert search(search_plan(), resume=True) == history
    assert read_results(tmp_path / "s.h5") == history.results


def test_journal_of_a_run_with_lines_of_a_search_is_refused(toy_plan, tmp_path) -> None:
    writer = ResultsWriter.create(tmp_path / "r.h5", toy_plan(), {}, overwrite=False)
    writer.add_architecture(NewArchitecture("width-1", (1.0, 1.0)))
    with pytest.raises(ResultsFileError, match=r"r.h5.journal' has lines that no run writes"):
        read_results(tmp_path / "r.h5")


def test_journal_left_behind_after_the_file_was_written_changes_nothing(search_plan, search, tmp_path) -> None:
    copies = []

    def on_step(step, number):
        copies.append(journal_path(tmp_path / "s.h5").read_bytes())

    history = search(search_plan(), on_step=on_step)
    journal_path(tmp_path / "s.h5").write_bytes(copies[-1])
    assert read_search(tmp_path / "s.h5") == history


def test_journal_cut_at_any_place_loses_only_the_line_that_is_cut(search_plan, search, tmp_path) -> None:
    path, journal = tmp_path / "s.h5", journal_path(tmp_path / "s.h5")
    left = {}

    def on_step(step, number):
        left.update({file: file.read_bytes() for file in (path, journal)})

    search(search_plan(evaluations=2), on_step=on_step)
    for file, content in left.items():
        file.write_bytes(content)
    whole = read_stored_search(path)
    content = left[journal]
    entries = [json.loads(line[9:]) for line in content.split(b"\n")[1:-1]]
    # Each read takes the results file with it. A journal is cut at every place in tests/core/results.
    ends = {match.end() for match in re.finditer(b"\n", content)}
    for cut in sorted({*range(0, len(content), 7), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends)}):
        journal.write_bytes(content[:cut])
        known = entries[: max(0, content[:cut].count(b"\n") - 1)]
        stored = read_stored_search(path)
        assert stored.proposals == whole.proposals[: sum(entry["kind"] == "proposal" for entry in known)]
        done = [record.score for record in stored.results.evaluators[0].records if record.status == "ok"]
        assert done == [entry["score"] for entry in known if entry["kind"] == "record"]


def test_killed_and_resumed_search_has_the_steps_of_an_uninterrupted_one(
    climb, search, start_held, tmp_path, without_times
) -> None:
    plan, path = climb["make_long_plan"](), tmp_path / "killed.h5"
    # Each more than the one before, whose records are in the journal until the next search takes them over.
    for jobs in (2, 3, 4):
        command = start_held(CLIMB, path)
        command.allow_until(journal_path(path), b'"status"', jobs)
        command.end(signal.SIGKILL)
        assert 0 < len(read_search(path).steps) < 60
    resumed, whole = search(plan, path.name, resume=True), search(plan, "whole.h5", devices=("cpu",) * 3)
    assert without_times(resumed) == without_times(whole)
    stored = [read_results(tmp_path / name) for name in ("killed.h5", "whole.h5")]
    stored = [dataclasses.replace(results, environment={}, evaluators=()) for results in stored]
    assert stored[0] == stored[1]
