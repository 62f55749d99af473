import dataclasses
import random

import pytest
from nasbench_toolkit.core.domain import Record, Status
from nasbench_toolkit.core.errors import ResultsFileError
from nasbench_toolkit.core.jobs.run import RunOptions, _wanted_jobs, run_plan
from nasbench_toolkit.core.results.merge import merge_results
from nasbench_toolkit.core.results.store import read_results


def run(plan, path, **options):
    defaults = {"devices": ("cpu",)}
    return run_plan(plan, RunOptions(path, **(defaults | options)), lambda *_: None, lambda _: None)


def without_times(results) -> list[list[Record]]:
    return [[dataclasses.replace(record, cost=None) for record in part.records] for part in results.evaluators]


def test_run_scores_do_not_depend_on_workers_order_or_company(toy_plan, tmp_path) -> None:
    alone = run(toy_plan(), tmp_path / "alone.h5")
    plan = toy_plan(("toy-width", "toy-random:mode=other", "toy-random"))
    together = run(plan, tmp_path / "together.h5", devices=("cpu", "cpu"))
    assert without_times(alone)[0] == without_times(together)[2]
    # Settings are compared on the same draws, and this one changes nothing but the settings' hash.
    assert without_times(together)[1] == without_times(together)[2]


def test_run_scores_do_not_depend_on_which_other_architectures_are_scored(toy_plan, tmp_path) -> None:
    whole = run(toy_plan(samples=6), tmp_path / "whole.h5")
    reversed_list = tmp_path / "archs.txt"
    reversed_list.write_text("\n".join(reversed(whole.arch_ids[2:])))
    part = run(toy_plan(architectures=reversed_list), tmp_path / "part.h5")
    assert without_times(part)[0] == list(reversed(without_times(whole)[0][2:]))


def test_run_another_seed_another_score(toy_plan, tmp_path) -> None:
    archs = tmp_path / "archs.txt"
    archs.write_text("width-3\n")
    first = run(toy_plan(architectures=archs, seed=0), tmp_path / "a.h5")
    second = run(toy_plan(architectures=archs, seed=1), tmp_path / "b.h5")
    assert first.evaluators[0].records[0].score != second.evaluators[0].records[0].score


def test_run_seeds_in_one_file_score_as_each_alone(toy_plan, tmp_path) -> None:
    evaluators = ("toy-random", "toy-width")
    plan = toy_plan(evaluators, seed=5, seeds=3)
    together = run(plan, tmp_path / "together.h5", devices=("cpu", "cpu"))
    assert [(part.header.label, part.seed) for part in together.evaluators] == [
        (label, seed) for label in evaluators for seed in (5, 6, 7)
    ]
    for position, seed in enumerate((5, 6, 7)):
        alone = run(toy_plan(evaluators, seed=seed, architectures=tmp_path / "together.h5"), tmp_path / f"{seed}.h5")
        assert without_times(alone) == [without_times(together)[column] for column in (position, 3 + position)]
    assert plan.columns[2][1] == 7
    assert read_results(tmp_path / "together.h5") == together


def test_run_seeds_are_resumed_sharded_and_merged(toy_plan, tmp_path) -> None:
    plan = toy_plan(("toy-random", "toy-width"), seeds=2)
    whole = run(plan, tmp_path / "whole.h5")
    shards = [tmp_path / "0.h5", tmp_path / "1.h5"]
    for index, path in enumerate(shards):
        run(plan, path, shard=(index, 2))
    assert without_times(merge_results(shards)) == without_times(whole)
    # A part of the whole: what is done stays as it is, seconds and all, and the rest is computed.
    first = read_results(shards[0])
    resumed = run(plan, shards[0], resume=True)
    assert without_times(resumed) == without_times(whole)
    assert resumed.evaluators[3].records[0] == first.evaluators[3].records[0]
    with pytest.raises(ResultsFileError, match=r"in: seeds \(seeds 0 and 1 in the file, seeds 0 to 2 now\)"):
        run(toy_plan(("toy-random", "toy-width"), seeds=3), shards[0], resume=True)


def test_run_jobs_of_one_seed_and_architecture_come_together(toy_plan) -> None:
    plan = toy_plan(("toy-random", "toy-width"), samples=2, seeds=2)
    assert _wanted_jobs(plan, (0, 1)) == [(0, 0), (2, 0), (1, 0), (3, 0), (0, 1), (2, 1), (1, 1), (3, 1)]


def test_run_turns_every_misbehaviour_into_a_status(toy_plan, tmp_path) -> None:
    archs = tmp_path / "archs.txt"
    archs.write_text("\n".join(f"width-{width}" for width in range(8, 16)))
    plan = toy_plan(("toy-misbehaving",), architectures=archs)
    results = run(plan, tmp_path / "r.h5", devices=("cpu", "cpu"), time_limit=1.0)
    outcomes = [(record.status, record.message) for record in results.evaluators[0].records]
    assert outcomes == [
        (Status.CRASHED, "the worker process was killed by SIGKILL; perhaps the machine ran out of memory, twice"),
        (Status.TIMEOUT, "took longer than the limit of 1 s"),
        (Status.OUT_OF_MEMORY, "MemoryError: too much"),
        (Status.FAILED, "ValueError: no reason"),
        (Status.DEGENERATE, "nothing to see"),
        (Status.DIVERGED, "the score is nan"),
        (
            Status.OUT_OF_MEMORY,
            "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 byte",
        ),
        (Status.OK, ""),
    ]


def test_run_repeats_alone_what_got_no_memory_beside_others(toy_plan, tmp_path) -> None:
    archs = tmp_path / "archs.txt"
    archs.write_text("".join(f"width-{width}\n" for width in (10, 16, 15)))
    hungry = f"toy-hungry:log={tmp_path / 'memory'}"
    results = run(toy_plan((hungry,), architectures=archs), tmp_path / "r.h5", devices=("cpu", "cpu"))
    assert [record.status for record in results.evaluators[0].records] == [Status.OK] * 3
    lines = (tmp_path / "memory").read_text().splitlines()
    assert sorted(lines[:3]) == ["refused width-10", "refused width-15", "refused width-16"]
    assert lines[3:] == ["begin", "end"] * 3


def test_run_resumes_what_is_missing_only(toy_plan, tmp_path) -> None:
    plan, path = toy_plan(samples=8), tmp_path / "r.h5"
    run(plan, path, shard=(1, 2))
    counted: list[tuple[int, int]] = []
    ran: list[Record] = []
    options = RunOptions(path, ("cpu",), resume=True)
    results = run_plan(plan, options, lambda done, total: counted.append((done, total)), ran.append)
    assert counted == [(4, 8)]
    assert len(ran) == 4
    assert without_times(results) == without_times(run(plan, tmp_path / "whole.h5"))


def test_run_repeats_failures_only_when_asked_to(toy_plan, tmp_path) -> None:
    archs = tmp_path / "archs.txt"
    archs.write_text("width-11\nwidth-15\n")
    plan, path = toy_plan(("toy-misbehaving",), architectures=archs), tmp_path / "r.h5"
    run(plan, path)
    for retry_failed, expected in ((False, 0), (True, 1)):
        ran: list[Record] = []
        options = RunOptions(path, ("cpu",), resume=True, retry_failed=retry_failed)
        run_plan(plan, options, lambda *_: None, ran.append)
        assert len(ran) == expected


def test_run_leaves_the_global_generators_alone(toy_plan, tmp_path) -> None:
    state = random.getstate()
    run(toy_plan(samples=2), tmp_path / "r.h5")
    assert random.getstate() == state


@pytest.mark.parametrize("evaluators", [("toy-width",)])
def test_run_writes_to_disk_before_it_reports(toy_plan, tmp_path, evaluators) -> None:
    from nasbench_toolkit.core.results.store import read_results

    path = tmp_path / "r.h5"
    seen: list[int] = []
    options = RunOptions(path, ("cpu",))
    run_plan(
        toy_plan(evaluators, samples=5),
        options,
        lambda *_: None,
        lambda _: seen.append(read_results(path).evaluators[0].done),
    )
    assert seen == [1, 2, 3, 4, 5]


def test_run_stores_which_images_the_evaluators_saw(toy_plan, tmp_path) -> None:
    results = run(toy_plan(("toy-width", "toy-random"), samples=2), tmp_path / "r.h5")
    assert results.evaluators[0].batches == {}
    assert list(results.evaluators[1].batches) == ["4 images, augmented"]
