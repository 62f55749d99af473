"""``--resume FILE``: the options of the file, and what is added to it."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest
from nasbench_toolkit.core.cli import sessions
from nasbench_toolkit.core.cli.commands import command_group

RUN = ("run", "--space", "toy", "-e", "toy-width", "-n", 12, "--seed", 3, "-o", "r.h5")
FILES = ("--evaluations", 9, "--seeds", 2, "-o", "s.h5")


def scores(nasbench) -> dict[str, dict[str, float]]:
    rows = json.loads(nasbench("inspect", "r.h5", "--scores", "-f", "json").stdout)
    return {row["architecture"]: row for row in rows}


@pytest.fixture
def run(nasbench):
    done = nasbench(*RUN)
    assert done.returncode == 0, done.stderr
    return nasbench


def test_a_file_is_continued_with_its_own_options(run, tmp_path) -> None:
    before = (tmp_path / "r.h5").read_bytes()
    again = run("run", "--resume", "r.h5")
    assert again.returncode == 0, again.stderr
    assert "Scoring 12 architectures of toy with toy-width" in again.stderr
    assert "seed 3" in again.stderr
    assert scores(run).keys() == scores(run).keys()
    assert len(before) > 0


def test_a_file_is_continued_by_as_many_workers_and_on_its_device(nasbench, tmp_path) -> None:
    assert nasbench(*RUN, "-j", 3).returncode == 0
    more = nasbench("run", "--resume", "r.h5", "-n", 20)
    assert more.returncode == 0, more.stderr
    assert "3 x cpu" in more.stderr
    with h5py.File(tmp_path / "r.h5", "r+") as file:
        attributes = file["environment"].attrs
        command = attributes["command"] + b" --device cuda:97"
        attributes.create("command", command, dtype=h5py.string_dtype(length=len(command)))
    gone = nasbench("run", "--resume", "r.h5")
    assert gone.returncode == 2
    assert "There is no device cuda:97" in gone.stderr
    other = nasbench("run", "--resume", "r.h5", "--device", "cpu", "-j", 1, "-n", 24)
    assert other.returncode == 0, other.stderr
    assert "1 x cpu" in other.stderr
    here = nasbench("run", "--resume", "r.h5", "--device", "cpu", "--in-process", "-n", 26)
    assert here.returncode == 0, here.stderr


def test_commands_for_a_file_with_a_space_in_its_name_can_be_pasted(nasbench, tmp_path) -> None:
    done = nasbench(*RUN[:-1], "my run.h5")
    assert "'nasbench report 'my run.h5''" in done.stderr
    other = nasbench("search", "--resume", "my run.h5")
    assert other.returncode == 2
    assert "'nasbench run --resume 'my run.h5''" in other.stderr


def test_evaluators_are_added(run) -> None:
    before = scores(run)
    added = run("run", "--resume", "r.h5", "-e", "random")
    assert added.returncode == 0, added.stderr
    after = scores(run)
    assert list(after) == list(before)
    for architecture, row in before.items():
        assert row.items() <= after[architecture].items()
        assert len(after[architecture]) > len(row)
    # The file describes all that it has.
    assert "with toy-width, random" in run("run", "--resume", "r.h5").stderr
    assert (
        run("run", "--space", "toy", "-e", "toy-width", "-e", "random", "-n", 12, "--seed", 3, "-o", "s.h5").returncode
        == 0
    )
    second = json.loads(run("inspect", "s.h5", "--scores", "-f", "json").stdout)
    assert {row["architecture"]: row for row in second} == after


def test_labels_that_are_added_stay(run, tmp_path) -> None:
    rows = "".join(f"{architecture},{place}\n" for place, architecture in enumerate(scores(run)))
    (tmp_path / "own labels.csv").write_text(f"architecture,my_loss\n{rows}")
    added = run("run", "--resume", "r.h5", "--labels", "own labels.csv", "--lower-is-better")
    assert added.returncode == 0, added.stderr
    again = run("run", "--resume", "r.h5", "-e", "random")
    assert again.returncode == 0, again.stderr
    assert "compared with: own/my_loss" in again.stderr
    assert "own/my_loss" in str(json.loads(run("inspect", "r.h5", "-f", "json").stdout)["ground truth"])


def test_architectures_are_added(run, tmp_path) -> None:
    before = scores(run)
    more = run("run", "--resume", "r.h5", "-n", 20)
    assert more.returncode == 0, more.stderr
    after = scores(run)
    assert list(after)[:12] == list(before)
    assert len(after) == 20
    (tmp_path / "list.txt").write_text(f"{next(iter(after))}\nwidth-999\n")
    listed = run("run", "--resume", "r.h5", "--architectures", "list.txt")
    assert listed.returncode == 0, listed.stderr
    assert list(scores(run)) == [*after, "width-999"]
    fewer = run("run", "--resume", "r.h5", "-n", 5)
    assert fewer.returncode == 2
    assert "'r.h5' has 21 architectures, and -n says how many there are to be" in fewer.stderr


def test_what_the_scores_depend_on_cannot_change(run, tmp_path) -> None:
    before = (tmp_path / "r.h5").read_bytes()
    other_seed = run("run", "--resume", "r.h5", "--seed", 4)
    assert other_seed.returncode == 2
    assert "seeds (seed 3 in the file, seed 4 now). Leave out the options that differ" in other_seed.stderr
    threads = run("run", "--resume", "r.h5", "--threads", 2)
    assert threads.returncode == 2
    assert "were made with 1 math threads a worker" in threads.stderr
    assert "--threads 1" in threads.stderr
    whole = run(*RUN, "--resume", "--threads", 2)
    assert whole.returncode == 2
    assert "--threads 1" in whole.stderr
    twice = run("run", "--resume", "r.h5", "-e", "toy-width")
    assert twice.returncode == 2
    assert "'r.h5' has 'toy-width' already. Leave it out" in twice.stderr
    assert (tmp_path / "r.h5").read_bytes() == before


def test_a_file_that_cannot_be_continued_says_why(run) -> None:
    missing = run("run", "--resume", "none.h5")
    assert missing.returncode == 2
    assert "There is no file 'none.h5'" in missing.stderr
    search = run("search", "--resume", "r.h5")
    assert search.returncode == 2
    assert "Continue it with 'nasbench run --resume r.h5'" in search.stderr
    both = run("run", "--resume", "r.h5", "--overwrite")
    assert both.returncode == 2
    assert "--resume continues a file and --overwrite replaces it" in both.stderr


def test_a_search_is_continued_with_its_own_options(nasbench) -> None:
    searched = nasbench("search", "--space", "toy", "-s", "random-search", "-e", "toy-width", *FILES)
    assert searched.returncode == 0, searched.stderr
    more = nasbench("search", "--resume", "s-seed1.h5", "-f", "json")
    assert more.returncode == 0, more.stderr
    assert "s-seed1.h5" in more.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("run --resume r.h5", "run --resume r.h5"),
        ("run --resume=r.h5", "run --resume r.h5"),
        ("--debug run --resume r.h5", "run --resume r.h5"),
        # What was added is in the file, the rest is of this session.
        ("run --resume r.h5 -e random -n 20 -j 2", "run --resume r.h5 --workers 2"),
        ("run --resume r.h5 --shard 1/4 --retry-failed", "run --resume r.h5 --retry-failed --shard 1/4"),
        ("run --resume r.h5 --labels a.csv --lower-is-better --in-process", "run --resume r.h5 --in-process"),
        ("run -e random -o r.h5 --resume", "run -e random -o r.h5 --resume"),
        ("run --resume -e random -o r.h5", "run -e random -o r.h5 --resume"),
        ("run -e random --overwrite", "run -e random --output r.h5 --resume"),
        ("--debug run -e random", "--debug run -e random --output r.h5 --resume"),
        ("reproduce table2 --scale 4", "reproduce table2 --scale 4"),
    ],
)
def test_an_interrupt_says_how_to_continue(run, tmp_path, given, told, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["nasbench", *given.split()])
    monkeypatch.chdir(tmp_path)
    group = command_group()
    with group.make_context("nasbench", given.split()) as context:
        name, *args = [*context._protected_args, *context.args]
        command = group.get_command(context, name)
        assert command is not None
        with command.make_context(name, args, parent=context):
            assert sessions._resume_command(Path("r.h5")) == f"nasbench {told}"
    # It can be given: all its options exist, each once.
    name, *args = told.removeprefix("--debug ").split()
    with command.make_context(name, args):
        pass
