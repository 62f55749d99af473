"""Searches that train a supernet: their outcome, how they go on, and what they refuse."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import h5py
import nasbench_toolkit
import numpy as np
import pytest
import torch
from nasbench_toolkit.core.cli import main
from nasbench_toolkit.core.errors import ResultsFileError
from nasbench_toolkit.core.results.writer import locked_journal
from nasbench_toolkit.core.search.storage import read_search

STRATEGY = "rsps:preset=tiny,epochs=3,candidates=2,log_candidates=1,selection_batch=64"
SEARCH = ["search", "-s", STRATEGY, "-e", "params", "--seed", "3"]


def outcome_of(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["searches"][0]


def course(path):
    """Return all of a search that does not depend on time."""
    history = read_search(path)
    epochs = [(each.architecture, each.chosen, each.skips, dict(each.figures)) for each in history.trajectory.epochs]
    return epochs, [(step.architecture, step.arch_id, step.fitness) for step in history.steps]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of an uninterrupted search, and what it printed."""
    folder, handler = tmp_path_factory.mktemp("whole"), signal.getsignal(signal.SIGTERM)
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        main([*SEARCH, "-o", "s.h5", "-f", "json"])
    signal.signal(signal.SIGTERM, handler)
    printed, said = (stream.buffer.getvalue().decode() for stream in (output, errors))
    assert ended.value.code == 0, said
    return folder / "s.h5", json.loads(printed), said


def test_the_answer_is_the_last_epochs_and_its_truth_is_told(whole) -> None:
    path, printed, errors = whole
    (search,), history = printed["searches"], read_search(path)
    assert "with rsps by training a supernet (each architecture's params is for you only)" in errors
    assert "seed 3, 3 epochs on cpu" in errors
    trajectory = search["trajectory"]
    assert [row["epoch"] for row in trajectory] == [1, 2, 3]
    assert search["architecture"] == trajectory[-1]["architecture"] == history.steps[-1].arch_id
    assert search["evaluation"] == search["evaluations"] == 3
    assert (
        search["ground_truth"]
        == trajectory[-1]["ground_truth"]
        == pytest.approx(printed["metric"]["best"] + search["regret"])
    )
    for row in trajectory:
        assert row["skips"] == row["derived"].count("skip_connect")
        assert row["zeros"] == row["derived"].count("none")
        assert 0 <= row["one_shot_accuracy"] <= 100
    assert trajectory[-1]["train_loss"] < trajectory[0]["train_loss"]
    assert (path.parent / "s.svg").exists()


def test_the_file_has_all_epochs(whole) -> None:
    path, printed, _ = whole
    with h5py.File(path) as file:
        group = file["supernet"]
        rows = printed["searches"][0]["trajectory"]
        assert group["skips"][:].tolist() == [row["skips"] for row in rows]
        assert group["figures/train_loss"][:].tolist() == [row["train_loss"] for row in rows]
        facts = json.loads(group.attrs["facts"])
        assert facts["options"][0] == ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
        assert facts["parameters"] == 99906
        assert np.isfinite(group["seconds"][:]).all()


def test_python_gets_the_epochs(whole) -> None:
    path, printed, _ = whole
    found = nasbench_toolkit.load_results(path)
    trajectory = printed["searches"][0]["trajectory"]
    for name in ("epoch", "derived", "skips", "train_loss", "one_shot_accuracy"):
        assert found.epochs[name].tolist() == [row[name] for row in trajectory]
    assert len(found.steps) == 3


def test_reports_know_the_last_one_too(whole, nasbench) -> None:
    path, printed, _ = whole
    (row,) = json.loads(nasbench("report", path, "-f", "json").stdout)
    assert row["ground_truth"] == printed["searches"][0]["ground_truth"]
    assert row["strategy"] == "rsps:preset=tiny,candidates=2,epochs=3,log_candidates=1,selection_batch=64"
    drawn = nasbench("draw", "--search", path, "-o", "c.svg")
    assert drawn.returncode == 0, drawn.stderr


def test_a_killed_search_goes_on_to_the_same_answer(whole, nasbench, tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nasbench_toolkit", *SEARCH, "-o", "s.h5"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | {"OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "s.h5.supernet").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    # Until the output is closed: a process that it had just begun may hold the file's lock a moment longer.
    process.communicate(timeout=60)
    assert len(read_search(tmp_path / "s.h5").trajectory.epochs) < 3
    without = tmp_path / "without"
    without.mkdir()
    for name in ("s.h5", "s.h5.journal"):
        (without / name).write_bytes((tmp_path / name).read_bytes())
    for folder in (tmp_path, without):
        # Without a checkpoint it trains from the beginning, and derives what the file has.
        done = nasbench(*SEARCH, "-o", folder / "s.h5", "--resume")
        assert done.returncode == 0, done.stderr
        assert course(folder / "s.h5") == course(whole[0])


@pytest.fixture
def copy(whole, tmp_path):
    """Copy the finished search, with its checkpoint or without."""

    def make(checkpoint=True):
        for name in ("s.h5", "s.h5.supernet") if checkpoint else ("s.h5",):
            (tmp_path / name).write_bytes((whole[0].parent / name).read_bytes())
        return tmp_path / "s.h5"

    return make


def test_a_finished_search_needs_no_checkpoint_and_trains_no_more(copy, whole, nasbench, monkeypatch) -> None:
    from nasbench_toolkit.core.search.supernet_training import SupernetTraining

    def begin(self):
        raise AssertionError

    monkeypatch.setattr(SupernetTraining, "_begin", begin)
    for checkpoint in (False, True):
        path = copy(checkpoint)
        assert nasbench(*SEARCH, "-o", path, "--resume").returncode == 0
        assert course(path) == course(whole[0])


def test_a_checkpoint_of_another_search_is_refused_and_left(copy, nasbench) -> None:
    path = copy()
    checkpoint = path.with_name("s.h5.supernet")
    before = checkpoint.read_bytes()
    path.unlink()
    alone = nasbench(*SEARCH, "-o", path)
    assert alone.returncode == 2
    assert "s.h5.supernet' is left from a search whose results file is gone" in alone.stderr
    other = nasbench(*SEARCH[:-1], "4", "-o", path, "--resume")
    assert other.returncode == 2
    assert "is the checkpoint of another search" in other.stderr
    assert checkpoint.read_bytes() == before
    assert not path.exists()


def test_the_checkpoint_of_a_running_search_is_not_overwritten(copy, nasbench) -> None:
    path = copy()
    checkpoint = path.with_name("s.h5.supernet")
    before = checkpoint.read_bytes()
    with locked_journal(path, "of another process"):
        done = nasbench(*SEARCH, "-o", path, "--overwrite")
    assert done.returncode == 2
    assert "Another run is writing 's.h5' now" in done.stderr
    assert checkpoint.read_bytes() == before


def test_a_damaged_checkpoint_is_refused_and_left(copy, nasbench) -> None:
    path = copy()
    checkpoint = path.with_name("s.h5.supernet")
    whole = checkpoint.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for damaged in (flipped, whole[:-1000], b"nothing of the kind", b""):
        checkpoint.write_bytes(damaged)
        done = nasbench(*SEARCH, "-o", path, "--resume")
        assert done.returncode == 2
        assert "s.h5.supernet' is damaged or no checkpoint of a search" in done.stderr
        assert "Traceback" not in done.stderr
        assert checkpoint.read_bytes() == damaged


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda content: torch.zeros(3), "it holds a Tensor"),
        (lambda content: [content], "it holds a list"),
        (lambda content: content | {"format": "another"}, "it is of another version"),
        (lambda content: content | {"format_version": torch.zeros(2)}, "it has no valid format_version"),
        (lambda content: content | {"state": 3}, "it has no valid state"),
        (
            lambda content: content | {"facts": {"options": torch.zeros(1)}},
            "Object of type Tensor is not JSON serializable",
        ),
        (lambda content: content | {"epochs": [torch.zeros(3)]}, "it has no valid epochs"),
        (lambda content: content | {"epochs": [content["epochs"][0] | {"figures": [1.0]}]}, ""),
        (lambda content: content | {"epochs": [content["epochs"][0] | {"skips": float("inf")}]}, ""),
    ],
)
def test_a_checkpoint_that_holds_something_else_is_refused_and_left(copy, nasbench, changed, reason) -> None:
    path = copy()
    checkpoint = path.with_name("s.h5.supernet")
    torch.save(changed(torch.load(checkpoint, weights_only=True)), checkpoint)
    before = checkpoint.read_bytes()
    done = nasbench(*SEARCH, "-o", path, "--resume")
    assert done.returncode == 2
    assert f"s.h5.supernet' is damaged or no checkpoint of a search ({reason}" in done.stderr
    assert "Warning" not in done.stderr
    assert checkpoint.read_bytes() == before


def test_a_file_with_more_epochs_than_proposals_is_damaged(copy) -> None:
    path = copy()
    with h5py.File(path, "a") as file:
        del file["supernet/chosen"]
        file["supernet/chosen"] = np.array([b"a"] * 4)
    with pytest.raises(ResultsFileError, match="more epochs than the search has proposals"):
        read_search(path)


def test_a_loss_that_is_no_number_ends_one_search_and_loses_nothing(nasbench, tmp_path) -> None:
    wild = f"{STRATEGY},learning_rate=1e30,clip=0,weight_decay=0"
    done = nasbench("search", "-s", wild, "-e", "params", "--seeds", 2, "-o", "s.h5")
    assert done.returncode == 1
    assert "'rsps' found nothing: in epoch 1 the train loss became nan" in done.stderr
    assert "the search with seed 1 found nothing" in done.stderr
    history = read_search(tmp_path / "s-seed1.h5")
    assert history.trajectory.failure.startswith("in epoch 1 the train loss became nan")
    assert history.incumbents() == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--space", "nasbench101"], "space does not provide. Spaces with a supernet: nasbench201, nasbench201-tiny."),
        (["-n", "5"], "takes no --evaluations: its setting 'epochs' says how long it trains."),
        (["--parallel", "2"], "takes no --parallel: it derives one architecture after each epoch."),
        (["--max-params", "1M"], "takes no limits"),
        (["--minimize", "params"], "takes no --minimize"),
        (["-s", "rsps:preset=tiny,learning_rate=0.001"], "would rise from 0.001 to 0.004"),
        (["-s", "rsps:preset=best"], "must be one of nb201, nats, tiny, got 'best'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_before_anything_is_computed(
    nasbench, otherwise, tmp_path, args, message
) -> None:
    done = nasbench(*otherwise([*SEARCH, "-o", "s.h5"], args))
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert not any(tmp_path.iterdir())


def test_too_few_images_cannot_be_split(nasbench, tmp_path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "few.npz", x_train=images[:5], y_train=range(5), x_test=images, y_test=[*range(5)] * 2)
    done = nasbench("search", "-s", "rsps:epochs=1", "--space", "nasbench201", "--images", "few.npz", "-o", "s.h5")
    assert done.returncode == 2
    assert "The strategy 'rsps' cannot search 'nasbench201': it needs two parts of the images" in done.stderr
    assert "they would have 4 and 0" in done.stderr


def test_tasks_are_no_networks(nasbench, tmp_path) -> None:
    (tmp_path / "l.csv").write_text("architecture,accuracy\n")
    done = nasbench("task-search", "-s", "gdas", "--labelled", "l.csv", "-o", "t.json")
    assert done.returncode == 2
    assert "The strategy 'gdas' trains a supernet, and tasks are no networks" in done.stderr


def test_the_list_and_the_explanation_of_a_strategy(nasbench) -> None:
    assert "darts" in nasbench("strategies").stdout
    explained = json.loads(nasbench("strategies", "gdas", "-f", "json").stdout)
    assert explained["needs"] == ["images", "labels", "supernets"]
    assert explained["proposes"] == "an architecture after each epoch of training a supernet, without scores"
    assert "straight_through" in {row["name"] for row in explained["settings"]}
    assert (
        json.loads(nasbench("strategies", "random-search", "-f", "json").stdout)["proposes"]
        == "architectures or tasks, and is told their scores"
    )
