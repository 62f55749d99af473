"""A short run of what ``experiments/robustness/misbehaving_evaluators.py`` does at length."""

import json
import os
import subprocess
import sys

import pytest
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.experiments.robustness.misbehaving_evaluators import MODULE
from nasbench_toolkit.experiments.robustness.plugin_folder import make_plugin_folder
from nasbench_toolkit.experiments.robustness.ways_to_misbehave import FAILING, SCORING, misbehaves_on, number_of

NEIGHBOURS = ("snip", "synflow", "gennas-single:iterations=1,batch_size=2")

# Those that wait for a time limit, or cost a worker and a second each, are for the experiment.
SLOW = {"sleeps", "spins-in-c", "stops-itself", "prints-much", "curve-too-long", "recurs", "starts-threads"}
SLOW |= {"changes-limits", "closes-output", "changes-alarm", "changes-path", "starts-program"}


@pytest.fixture
def plugin(tmp_path):
    return make_plugin_folder(tmp_path / "plugin", "misbehaving", MODULE)


@pytest.fixture
def scores(run_nasbench, plugin, tmp_path):
    """Run evaluators and return the records of each."""

    def run(name, *evaluators, options=()):
        args = [arg for evaluator in evaluators for arg in ("-e", evaluator)]
        done = run_nasbench("run", *args, "-n", "4", "-o", f"{name}.h5", *options, plugins=[plugin])
        assert done.returncode == 0, done.stderr
        results = read_results(tmp_path / f"{name}.h5")
        return results.arch_ids, {part.header.label: part.records for part in results.evaluators}

    return run


@pytest.mark.parametrize("workers", [1, 3])
def test_misbehaving_evaluators_cost_their_own_jobs_only(scores, workers) -> None:
    ways = [way for way in (*FAILING, *SCORING) if way not in SLOW]
    _, alone = scores("alone", *NEIGHBOURS, options=("-j", "1"))
    arch_ids, beside = scores("beside", *ways, *reversed(NEIGHBOURS), options=("-j", str(workers)))
    assert any(map(misbehaves_on, arch_ids))
    for label, records in alone.items():
        assert beside[label].scores.tolist() == records.scores.tolist()
    for way in ways:
        for arch_id, record in zip(arch_ids, beside[way], strict=True):
            if not misbehaves_on(arch_id):
                assert (record.status, record.score) == (Status.OK, number_of(arch_id)), way
            else:
                assert (record.status is Status.OK) == (way in SCORING), (way, record)


def test_killed_worker_is_repeated_once_and_then_crashed(scores) -> None:
    arch_ids, records = scores("killed", "kills-itself", options=("-j", "1"))
    messages = [
        record.message for arch_id, record in zip(arch_ids, records["kills-itself"], strict=True) if record.message
    ]
    assert messages == [
        "the worker process was killed by SIGKILL; perhaps the machine ran out of memory, twice"
        for arch_id in arch_ids
        if misbehaves_on(arch_id)
    ]


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("raises-text-that-ends", "raises-text-that-ends: _TextThatEndsError (its text cannot be made: SystemExit)"),
        (
            "closes-all-files",
            "the worker process lost its connection, as where an evaluator closes files that it has not opened, or its "
            "exit code was 77",
        ),
    ],
)
def test_message_says_why_and_no_traceback_of_the_engine_is_shown(run_nasbench, plugin, tmp_path, way, message) -> None:
    done = run_nasbench("run", "-e", way, "-n", "4", "-j", "1", "-o", "why.h5", plugins=[plugin])
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    (part,) = read_results(tmp_path / "why.h5").evaluators
    assert {record.message for record in part.records if record.message} == {message}


def test_scores_in_this_process_are_those_of_workers(scores, plugin, tmp_path) -> None:
    evaluators = ("changes-default-dtype", *NEIGHBOURS)
    _, workers = scores("workers", *evaluators)
    # In a process of its own, since nothing protects this one.
    args = [arg for name in evaluators for arg in ("-e", name)]
    subprocess.run(
        [sys.executable, "-m", "nasbench_toolkit", "run", *args, "-n", "4", "-o", tmp_path / "here.h5", "--in-process"],
        env=os.environ | {"PYTHONPATH": str(plugin)},
        check=True,
        capture_output=True,
    )
    here = {part.header.label: part.records for part in read_results(tmp_path / "here.h5").evaluators}
    assert [*here] == [*workers]
    assert all(here[label].scores.tolist() == workers[label].scores.tolist() for label in here)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--time-limit", "3"], "--time-limit"),
        (["--workers", "2", "--executor", "ray"], "--executor and --workers"),
    ],
)
def test_in_process_refuses_what_needs_worker_processes(run_nasbench, options, named) -> None:
    done = run_nasbench("run", "-e", "params", "-n", "1", "--in-process", *options)
    assert done.returncode == 2
    assert f"--in-process uses no worker processes: leave out {named}." in done.stderr


def test_tracebacks_of_failures_are_kept_and_shown_on_request(scores, run_nasbench, plugin) -> None:
    arch_ids, records = scores("traced", "raises-base-exception", "returns-nan", options=("-j", "1"))
    (failure,) = {record.traceback for record in records["raises-base-exception"] if record.traceback}
    assert failure.endswith("BaseException: base\n")
    assert "ways_to_misbehave.py" in failure
    assert not any(record.traceback for record in records["returns-nan"])
    shown = run_nasbench("inspect", "traced.h5", "--failures", "--debug", plugins=[plugin]).stdout
    # Once as the failure's message, once as the end of its traceback.
    assert shown.count("\nBaseException: base\n") == sum(map(misbehaves_on, arch_ids))
    assert "No traceback: the evaluator said so itself" in shown
    listed = json.loads(
        run_nasbench("--debug", "inspect", "traced.h5", "--failures", "-f", "json", plugins=[plugin]).stdout
    )
    rows = listed if isinstance(listed, list) else next(iter(listed.values()))
    assert rows[0]["traceback"] == failure
    assert "traceback" not in run_nasbench("inspect", "traced.h5", "--failures", "-f", "csv", plugins=[plugin]).stdout
