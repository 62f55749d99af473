import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.reader import read_results

EVOLUTION = "regularized-evolution:population=3,sample=2"


@pytest.fixture
def labelled(tmp_path):
    """Write six cells of the embedded table, with made-up labels that all differ."""
    space = installed_plugins().search_space("nasbench201-tiny").info.create()
    cells = space.sample(6, np.random.default_rng(0))
    rows = "".join(f"{cell},{label}\n" for label, cell in enumerate(cells))
    (tmp_path / "labelled.csv").write_text(f"architecture,quality\n{rows}")
    return tmp_path / "labelled.csv"


@pytest.fixture
def task_search(nasbench, labelled):
    """Search for a task with networks that hardly train."""

    def search(*options, output="task.json", tasks=5, workers=2):
        return nasbench(
            "task-search", "-l", labelled, "-e", "gennas:iterations=1", "-n", tasks, "-j", workers, "-o", output,
            "-f", "json", *options,
        )  # fmt: skip

    return search


def history_of(result):
    """Return what was found, without the names of files."""
    assert result.returncode == 0, result.stderr
    return {name: value for name, value in json.loads(result.stdout).items() if name not in ("file", "history")}


def test_the_task_found_scores_architectures(task_search, nasbench, tmp_path) -> None:
    found = history_of(task_search("-s", EVOLUTION))
    fitness = [task["fitness"] for task in found["tasks"]]
    assert len(fitness) == 5
    assert found["best"]["fitness"] == max(fitness)
    assert [task["best_so_far"] for task in found["tasks"]] == [max(fitness[: number + 1]) for number in range(5)]
    assert json.loads((tmp_path / "task.json").read_text()) == found["best"]["design"]

    rows = (tmp_path / "labelled.csv").read_text().splitlines()[1:]
    (tmp_path / "cells.txt").write_text("\n".join(row.split(",")[0] for row in rows))
    evaluator = ("-e", "gennas:iterations=1", "--task", "task.json")
    result = nasbench("run", *evaluator, "--architectures", "cells.txt", "-o", "r.h5", "-j", "1")
    assert result.returncode == 0, result.stderr
    # The same seed, architectures, evaluator and settings have the same scores.
    (part,) = read_results(tmp_path / "r.h5").evaluators
    assert [record.score for record in part.records] == found["best"]["scores"]


def test_neither_workers_nor_an_interruption_changes_the_history(task_search, tmp_path) -> None:
    whole = history_of(task_search("-s", EVOLUTION, output="whole.json", workers=1))
    assert history_of(task_search("-s", EVOLUTION, output="two.json", workers=2)) == whole
    # Cut off at several places, the last of them within a line.
    content = (tmp_path / "whole.json.history").read_bytes()
    for share in (0.3, 0.7, 0.95):
        (tmp_path / "cut.json.history").write_bytes(content[: int(share * len(content))])
        assert history_of(task_search("-s", EVOLUTION, "--resume", output="cut.json")) == whole
        assert (tmp_path / "cut.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_killed_search_goes_on_as_if_it_never_stopped(task_search, labelled, tmp_path) -> None:
    whole = history_of(task_search("-s", EVOLUTION, output="whole.json"))
    command = [
        sys.executable, "-m", "nasbench_toolkit", "task-search", "-l", "labelled.csv", "-e", "gennas:iterations=1",
        "-n", "5", "-s", EVOLUTION, "-j", "2", "-o", "killed.json",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"COLUMNS": "120"}, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    history = tmp_path / "killed.json.history"
    wanted = random.Random(0).randint(3, 20)
    while process.poll() is None and not (history.exists() and history.read_bytes().count(b"\n") > wanted):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert history_of(task_search("-s", EVOLUTION, "--resume", output="killed.json")) == whole


def test_abandoning_hopeless_tasks_does_not_change_what_is_found(task_search) -> None:
    found = history_of(task_search("-s", "random-search", tasks=12))
    again = history_of(task_search("-s", "random-search", tasks=12, output="again.json", workers=1))
    assert again == found
    abandoned = [task for task in found["tasks"] if task["verdict"] == "abandoned"]
    assert abandoned
    assert all(task["bound"] < found["best"]["fitness"] and len(task["scores"]) < 6 for task in abandoned)
    ranked = [task for task in found["tasks"] if task["verdict"] == "ranked"]
    assert found["best"]["fitness"] == max(task["fitness"] for task in ranked)


def test_a_longer_search_continues_a_shorter_one(task_search) -> None:
    short = history_of(task_search("-s", EVOLUTION, tasks=3))
    longer = history_of(task_search("-s", EVOLUTION, "--resume", tasks=4))
    assert longer["tasks"][:3] == short["tasks"]


def test_another_search_does_not_continue_this_one(task_search, tmp_path) -> None:
    history_of(task_search("-s", EVOLUTION, tasks=2))
    before = (tmp_path / "task.json.history").read_bytes()
    result = task_search("-s", EVOLUTION, "--resume", "--seed", "1", tasks=2)
    assert result.returncode == 2
    assert "differs in: seed (0 in the file, 1 now)" in result.stderr
    result = task_search("-s", EVOLUTION, tasks=2)
    assert result.returncode == 2
    assert "Continue its search with --resume" in result.stderr
    assert (tmp_path / "task.json.history").read_bytes() == before


def test_a_damaged_history_is_refused_and_left_as_it_is(task_search, tmp_path) -> None:
    history_of(task_search("-s", EVOLUTION, tasks=2))
    history = tmp_path / "task.json.history"
    damaged = history.read_bytes().replace(b'"status"', b'"stutas"', 1)
    history.write_bytes(damaged)
    result = task_search("-s", EVOLUTION, "--resume", tasks=2)
    assert result.returncode == 2
    assert "damaged at line" in result.stderr
    assert history.read_bytes() == damaged


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-e", "naswot"), "The evaluator 'naswot' has no task to search for. Evaluators that have one: gennas"),
        (("-e", "gennas:task=x.json"), "is what is searched for. Leave it out"),
        (("-s", "nsga2"), "searches for a Pareto front"),
        (("-s", "reinforce"), "gennas-tasks"),
        (("-n", "0"), "--evaluations must be at least 1"),
        (("--space", "nasbench-nlp"), "nasbench-nlp"),
        (("--label", "size"), "no column 'size'"),
    ],
)
def test_what_cannot_be_searched_is_refused(nasbench, labelled, options, message) -> None:
    result = nasbench("task-search", "-l", labelled, *options)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr


def test_a_task_for_evaluators_that_take_none_is_refused(nasbench, tmp_path) -> None:
    result = nasbench("run", "--task", "task.json", "-e", "naswot", "-n", "3")
    assert result.returncode == 2
    assert "have no setting 'task'" in result.stderr
