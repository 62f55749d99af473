"""Runs on text from the command line: what is stored of it, and when it is another one."""

from pathlib import Path

import pytest

CELL = '{"node_0":{"op":"linear","input":["x","h_prev_0"]},"h_new_0":{"op":"activation_tanh","input":["node_0"]}}'
TRAINING = "ppl@ep1:train_tokens=300,test_tokens=200"


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    (tmp_path / "cells.txt").write_text(f"{CELL}\n")
    return tmp_path / "cells.txt"


def import_text(run_nasbench, folder: Path, word: str) -> None:
    folder.mkdir()
    (folder / "train.txt").write_text(f"the {word} sat <unk> again\n" * 200)
    (folder / "test.txt").write_text(f"again the {word} sat\n" * 60)
    done = run_nasbench("data", "import", "own-text", folder)
    assert done.returncode == 0, done.stderr


def test_a_run_on_the_text_inside_the_package_stores_what_it_read(run_nasbench, cells: Path) -> None:
    names = ("-e", TRAINING, "-e", "snip:batch_size=2", "-e", "params", "-e", "gennas-rnn-combo:iterations=1")
    done = run_nasbench("run", "--space", "nasbench-nlp", "--dataset", "alice", *names,
                        "--architectures", cells, "-o", "r.h5", "--in-process")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(data: alice," in done.stderr
    shown = run_nasbench("inspect", "r.h5").stdout
    for batch in (
        "all 416 training pieces of 70 tokens",
        "all 39 held-out pieces of 70 tokens",
        "2 pieces of 70 tokens",
    ):
        assert batch in " ".join(shown.split())


def test_a_run_is_not_resumed_with_another_text_of_the_same_name(run_nasbench, cells: Path, tmp_path: Path) -> None:
    import_text(run_nasbench, tmp_path / "cats", "cat")
    cells.write_text(f"{CELL}\n{CELL.replace('tanh', 'sigm')}\n")
    command = ("run", "--space", "nasbench-nlp", "--dataset", "own-text", "-e", "plain:batch_size=2",
               "--architectures", cells, "-o", "r.h5", "--in-process")  # fmt: skip
    done = run_nasbench(*command, "--shard", "1/2")
    assert done.returncode == 0, done.stderr
    (tmp_path / "dogs").mkdir()
    for part in ("train", "test"):
        text = (tmp_path / "cats" / f"{part}.txt").read_text()
        (tmp_path / "dogs" / f"{part}.txt").write_text(text.replace("the cat sat", "the the cat sat"))
    assert run_nasbench("data", "import", "own-text", tmp_path / "dogs").returncode == 0
    done = run_nasbench(*command, "--resume")
    assert done.returncode != 0
    assert "made from other inputs" in done.stderr


def test_evaluators_that_a_text_does_not_serve_are_refused_before_the_run(run_nasbench) -> None:
    run = ("run", "--space", "nasbench-nlp", "-n", "1", "-e")
    assert (
        "it needs images, which the dataset 'alice' does not have"
        in run_nasbench(*run, "fisher", "--dataset", "alice").stderr
    )
    assert "It does with --dataset ptb or wikitext-2 or alice or own-text" in run_nasbench(*run, "jacob_cov").stderr
    assert (
        "The dataset 'ptb' is not at hand. Run 'nasbench data list ptb'"
        in run_nasbench(*run, "snip", "--dataset", "ptb").stderr
    )
