"""A short run of what ``experiments/robustness/misbehaving_plugins.py`` does at length."""

import sys

import pytest
from nasbench_toolkit.experiments.robustness.faulty_parts import LABELLED, LABELLED_TEXT, PARTS
from nasbench_toolkit.experiments.robustness.misbehaving_plugins import (
    listed_evaluators,
    make_loading_folder,
    make_parts_folder,
    part_command,
    problem_of_listing,
    problem_of_part,
)
from nasbench_toolkit.experiments.robustness.ways_to_load import EVALUATOR, LOADINGS, PLUGIN

# What would end or change the process of the tests, or costs a second, is for the experiment.
LEFT_OUT_CHANGES = {
    "change-closes-descriptors",
    "change-closes-stdout",
    "change-replaces-stdout",
    "change-starts-program",
}
LEFT_OUT_CHANGES |= {"change-starts-thread", "change-starts-daemon-thread", "change-children", "change-start-method"}
LEFT_OUT_CHANGES |= {
    "change-raises-at-exit",
    "change-prints-at-exit",
    "change-profiler",
    "change-prints",
    "change-recursion-limit",
}

LOADED = [way for way in LOADINGS if way not in LEFT_OUT_CHANGES]
USED = [way for way, part in PARTS.items() if part.command[0] != "search" and "import" not in way]


@pytest.fixture(scope="module")
def parts_folder(tmp_path_factory):
    return make_parts_folder(tmp_path_factory.mktemp("parts"))


def test_plugins_that_misbehave_when_loaded_are_one_warning_or_none(run_nasbench, tmp_path) -> None:
    alone = listed_evaluators(run_nasbench("evaluators", "-f", "json"))
    problems = {}
    for way in LOADED:
        loading = LOADINGS[way]
        folder = make_loading_folder(tmp_path / way, loading)
        sys.modules.pop(PLUGIN, None)
        done = run_nasbench("evaluators", "-f", "json", plugins=[folder])
        problems[way] = problem_of_listing(done, loading, alone | ({EVALUATOR} if loading.has_evaluator else set()))
    assert {way: problem for way, problem in problems.items() if problem} == {}


@pytest.mark.parametrize("kind", sorted({way.partition("-")[0] for way in USED}))
def test_parts_that_misbehave_are_named_with_their_plugin(run_nasbench, tmp_path, parts_folder, kind: str) -> None:
    (tmp_path / LABELLED).write_text(LABELLED_TEXT)
    problems = {}
    for way in (way for way in USED if way.partition("-")[0] == kind):
        part, results = PARTS[way], tmp_path / "out.h5"
        results.unlink(missing_ok=True)
        options = ["--in-process"] if part.command[0] == "run" else []
        done = run_nasbench(*part_command(part), *options, plugins=[parts_folder])
        problems[way] = problem_of_part(done.returncode, done.stdout, done.stderr, results, part)
    assert {way: problem for way, problem in problems.items() if problem} == {}
