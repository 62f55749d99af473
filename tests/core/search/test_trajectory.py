import dataclasses
import json

import h5py
import pytest
from nasbench_toolkit.core.errors import ResultsFileError
from nasbench_toolkit.core.hdf5.reading import read_hdf5
from nasbench_toolkit.core.results.journal import JournalLine
from nasbench_toolkit.core.search.trajectory import (
    NAME,
    Epoch,
    Trajectory,
    epoch_from_json,
    epoch_to_json,
    read_trajectory,
    write_trajectory,
)

EPOCHS = (
    Epoch("a", "b", 2, 1, {"train_loss": 0.5}, 1.5, (0.25, 0.75)),
    Epoch("a", "a", 0, 0, {"train_loss": 0.25, "arch/loss": 3.0}, 2.0, ()),
)


def line(entry, tmp_path):
    return JournalLine(tmp_path / "s.h5.journal", 2, "epoch", entry)


def test_an_epoch_comes_back_from_the_journal() -> None:
    for number, epoch in enumerate(EPOCHS):
        assert epoch_from_json(json.loads(json.dumps(epoch_to_json(number, epoch)))) == (number, epoch)


@pytest.mark.parametrize("epochs", [(), EPOCHS])
def test_a_trajectory_comes_back_from_a_file(tmp_path, epochs) -> None:
    trajectory = Trajectory(epochs, {"parameters": 3}, "in epoch 3 it failed")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        write_trajectory(file, trajectory)
    found = read_trajectory(read_hdf5(tmp_path / "t.h5", (NAME,)), ["a"] * len(epochs), [])
    assert found == trajectory


def test_epochs_of_the_journal_join_those_of_the_file_once(tmp_path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        write_trajectory(file, Trajectory(EPOCHS[:1]))
    stored = read_hdf5(tmp_path / "t.h5", (NAME,))
    lines = [line(epoch_to_json(number, epoch), tmp_path) for number, epoch in enumerate(EPOCHS)]
    assert read_trajectory(stored, ["a", "a"], lines) == Trajectory(EPOCHS)
    damaged = dataclasses.replace(lines[1], entry={"index": 1})
    with pytest.raises(ResultsFileError, match="no valid epoch at line 2: it has no 'architecture'"):
        read_trajectory(stored, ["a", "a"], [damaged])


def test_a_file_of_another_search_has_none(tmp_path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_group("search")
    assert read_trajectory(read_hdf5(tmp_path / "t.h5", (NAME,)), [], []) is None
