import csv
import json
import signal

import numpy as np
import pytest
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.store import read_results

EVOLUTION = "regularized-evolution:population_size=3,tournament_size=2"


TOY = ("--space", "toy", "-e", "toy-slope")


@pytest.fixture
def labelled(tmp_path):
    """Write six networks of the toy space and their labels, which all differ."""
    rows = "".join(f"width-{width},{width}\n" for width in (7, 2, 9, 4, 1, 6))
    (tmp_path / "labelled.csv").write_text(f"architecture,quality\n{rows}")
    return tmp_path / "labelled.csv"


@pytest.fixture
def task_search(nasbench, labelled):
    """Search for a task of an evaluator that computes nothing."""

    def search(*options, output="task.json", tasks=8, workers=2):
        return nasbench(
            "task-search", "-l", labelled, *TOY, "-n", tasks, "-j", workers, "-o", output, "-f", "json", *options
        )

    return search


def history_of(result):
    """Return what was found, without the names of files."""
    assert result.returncode == 0, result.stderr
    return {name: value for name, value in json.loads(result.stdout).items() if name not in ("file", "history")}


def test_the_task_found_scores_architectures(nasbench, tmp_path) -> None:
    space = installed_plugins().search_space("nasbench201-tiny").info.create()
    cells = space.sample(5, np.random.default_rng(0))
    rows = "".join(f"{cell},{label}\n" for label, cell in enumerate(cells))
    (tmp_path / "labelled.csv").write_text(f"architecture,quality\n{rows}")
    evaluator = ("-e", "gennas:iterations=1")
    search = ("task-search", "-l", "labelled.csv", *evaluator, "-s", EVOLUTION, "-n", 3, "-o", "task.json")
    found = history_of(nasbench(*search, "-f", "json"))
    fitness = [task["fitness"] for task in found["tasks"]]
    assert len(fitness) == 3
    assert found["best"]["fitness"] == max(fitness)
    assert [task["best_so_far"] for task in found["tasks"]] == [max(fitness[: number + 1]) for number in range(3)]
    assert json.loads((tmp_path / "task.json").read_text()) == found["best"]["design"]

    # The same seed, architectures, evaluator and settings have the same scores.
    (tmp_path / "cells.txt").write_text("\n".join(cells))
    run = ("run", *evaluator, "--task", "task.json", "--architectures", "cells.txt", "-o", "r.h5", "-j", "1")
    result = nasbench(*run)
    assert result.returncode == 0, result.stderr
    (part,) = read_results(tmp_path / "r.h5").evaluators
    assert [record.score for record in part.records] == found["best"]["scores"]


def test_what_was_found_is_shown(task_search, nasbench, labelled) -> None:
    found = history_of(task_search("-s", EVOLUTION))
    shown = nasbench(
        "task-search", "-l", labelled, *TOY, "-s", EVOLUTION, "-n", 8, "-o", "task.json", "--resume", "--plot", "f.svg"
    )
    assert shown.returncode == 0, shown.stderr
    assert f"{found['best']['fitness']:.4g} (Spearman's rho on 6 architectures; first at task" in shown.stdout
    assert "slope" in shown.stdout
    assert (labelled.parent / "f.svg").read_text().startswith("<?xml")
    assert "(label: quality, higher is better; images: noise, seed 0, 8 tasks" in shown.stderr
    assert "score with it: nasbench run --space toy -e toy-slope --task task.json" in shown.stderr
    assert "the best of 8 on the same 6 architectures: expect less on others" in shown.stderr


def test_a_killed_search_goes_on_as_if_it_never_stopped(task_search, start_held, tmp_path) -> None:
    whole = history_of(task_search("-s", EVOLUTION, output="whole.json", workers=1))
    search = ("task-search", "-l", "labelled.csv", *TOY, "-n", 8, "-s", EVOLUTION, "-j", 2, "-o", "killed.json")
    history = tmp_path / "killed.json.history"
    # A line for the search, and seven for each of eight tasks: six scores and what they come to.
    for scores in (2, 16, 32):
        command = start_held("-m", "nasbench_toolkit", *search, "--resume")
        command.allow_until(history, b'"status"', scores)
        command.end(signal.SIGKILL)
        assert history.read_bytes().count(b"\n") < 1 + 7 * 8
    assert history_of(task_search("-s", EVOLUTION, "--resume", output="killed.json")) == whole


def test_another_search_does_not_continue_this_one(task_search, tmp_path) -> None:
    history_of(task_search("-s", EVOLUTION, tasks=2))
    before = (tmp_path / "task.json.history").read_bytes()
    result = task_search("-s", EVOLUTION, "--resume", "--seed", "1", tasks=2)
    assert result.returncode == 2
    assert "differs in: seed (0 in the file, 1 now)" in result.stderr
    result = task_search("-s", EVOLUTION, "--resume", "--threads", "2", tasks=2)
    assert result.returncode == 2
    assert "were made with 1 math threads a worker" in result.stderr
    result = task_search("-s", EVOLUTION, tasks=2)
    assert result.returncode == 2
    assert "Continue its search with --resume" in result.stderr
    assert (tmp_path / "task.json.history").read_bytes() == before


def test_tasks_of_recurrent_networks_are_searched_and_used(nasbench, tmp_path) -> None:
    linear = {"op": "linear", "input": ["x", "h_prev_0"]}
    activations = ("activation_tanh", "activation_sigm", "activation_leaky_relu")
    cells = [{"h_new_0": linear}]
    cells += [{"f": linear, "h_new_0": {"op": activation, "input": ["f"]}} for activation in activations]
    cells += [{"f": linear, "g": cells[1]["h_new_0"], "h_new_0": {"op": "elementwise_prod", "input": ["f", "g"]}}]
    recipes = [json.dumps(cell) for cell in cells]
    with (tmp_path / "labelled.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["architecture", "loss"], *((text, 5 - n) for n, text in enumerate(recipes))])
    (tmp_path / "cells.txt").write_text("\n".join(recipes))
    on_cells = ("--space", "nasbench-nlp", "-j", 2, "-e", "gennas-rnn:iterations=2")
    found = history_of(
        nasbench(
            "task-search", "-l", "labelled.csv", *on_cells, "--lower-is-better", "-s", EVOLUTION, "-n", 4, "-o",
            "task.json", "-f", "json",
        )
    )  # fmt: skip
    assert found["evaluator"].startswith("gennas-rnn")
    assert len({task["fitness"] for task in found["tasks"]}) > 1
    assert set(json.loads((tmp_path / "task.json").read_text())) >= {"dim", "length", "input", "target"}
    nasbench("run", *on_cells, "--architectures", "cells.txt", "--task", "task.json", "-o", "run.h5")
    results = read_results(tmp_path / "run.h5")
    assert [part.header.name for part in results.evaluators] == ["gennas-rnn"]
    assert len({record.score for record in results.evaluators[0].records}) == 5


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
        (("-e", "gennas-rnn"), "does not support search space 'nasbench201-tiny': it needs networks that map"),
        (("--executor", "submitit", "-j", "2"), "--workers does not count the workers of 'submitit'"),
        (("-e", "gennas:task=x.json"), "is what is searched for. Leave it out"),
        (("-s", "nsga2"), "searches for a Pareto front"),
        (("-s", "successive-halving"), "stops evaluations early, and tasks are evaluated in full"),
        (("-s", "reinforce"), "gennas-tasks"),
        (("-n", "0"), "--evaluations must be at least 1"),
        (("--space", "nasbench-nlp", "-e", "gennas"), "'nasbench-nlp': it needs networks that return the feature maps"),
        (("--space", "nasbench-nlp"), "is not JSON"),
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
    assert "they take no task, or have one already" in result.stderr
