"""What a strategy that trains a supernet derived after each epoch, and how a results file keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import h5py
import numpy as np

from ..hdf5.stored import StoredGroup
from ..hdf5.writing import create_group, write_attributes
from ..results.elements.arrays import (
    read_numbers,
    read_rows,
    read_texts,
    read_whole_numbers,
    write_numbers,
    write_texts,
)
from ..results.elements.encoding import Encoding, as_json, member_name, read_json_object, read_text
from ..results.journal import JournalLine, number_from_json, number_to_json

ENCODING = Encoding("nasbench-supernet", 1)
NAME = "supernet"
EPOCH = "epoch"


@dataclass(frozen=True)
class Epoch:
    """One epoch of training and what was derived after it.

    Attributes:
        architecture: Spelling of the architecture, one of the space.
        chosen: Spelling of what the strategy chose, another one where the space does not have it.
        skips: How many decisions of what it chose only pass their input on.
        zeros: How many of them are no connection.
        figures: By name, such as ``train_loss``.
        seconds: Wall-clock seconds of training and derivation.
        probabilities: Of each option of each decision, one decision after the other; empty if there are none.
    """

    architecture: str
    chosen: str
    skips: int
    zeros: int
    figures: Mapping[str, float]
    seconds: float
    probabilities: tuple[float, ...] = ()


@dataclass(frozen=True)
class Trajectory:
    """All epochs of a search.

    Attributes:
        epochs: As far as it has come.
        facts: What there is to know of the supernet: names of ``options``, number of ``parameters``, ``images``.
        failure: Why the training did not come to its end, empty if nothing went wrong: there is no answer then.
    """

    epochs: tuple[Epoch, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""

    def with_epoch(self, number: int, epoch: Epoch) -> Trajectory:
        """Return it with one more epoch, counted from 0; one that it has already stays as it was."""
        return self if number < len(self.epochs) else replace(self, epochs=(*self.epochs, epoch))


def write_trajectory(file: h5py.Group, trajectory: Trajectory) -> None:
    """Write a trajectory into the file of a search."""
    group, epochs = create_group(file, NAME), trajectory.epochs
    ENCODING.mark(group)
    write_attributes(group, facts=as_json(trajectory.facts), failure=trajectory.failure)
    write_texts(group, "chosen", [epoch.chosen for epoch in epochs])
    write_numbers(group, "skips", np.array([epoch.skips for epoch in epochs], np.int64))
    write_numbers(group, "zeros", np.array([epoch.zeros for epoch in epochs], np.int64))
    write_numbers(group, "seconds", np.array([epoch.seconds for epoch in epochs], np.float64))
    write_numbers(group, "probabilities", _rows([epoch.probabilities for epoch in epochs]))
    figures = create_group(group, "figures")
    for name in dict.fromkeys(name for epoch in epochs for name in epoch.figures):
        values = np.array([epoch.figures.get(name, np.nan) for epoch in epochs], np.float64)
        write_attributes(write_numbers(figures, member_name(figures, name), values), name=name)


def read_trajectory(file: StoredGroup, proposals: Sequence[str], journal: Sequence[JournalLine]) -> Trajectory | None:
    """Return what :func:`write_trajectory` was given and what has come since, None if no supernet is trained.

    Args:
        file: The file of a search.
        proposals: Spellings of all proposals.
        journal: Its lines of the kind ``epoch``.

    Raises:
        ValueError: It is damaged.
        ResultsFileError: The journal is.
    """
    if NAME not in file:
        return None
    group = file.group(NAME)
    ENCODING.check(group)
    chosen = read_texts(group.array("chosen"))
    count = len(chosen)
    if count > len(proposals):
        raise ValueError(f"'{group.name}' has more epochs than the search has proposals")
    figures = {
        read_text(array.attrs, "name"): read_numbers(array, count).tolist() for array in group.group("figures").arrays()
    }
    skips, zeros = (read_whole_numbers(group.array(name), count) for name in ("skips", "zeros"))
    seconds = read_numbers(group.array("seconds"), count)
    probabilities = read_rows(group.array("probabilities"), count)
    epochs = tuple(
        Epoch(
            architecture=proposals[row],
            chosen=chosen[row],
            skips=skips[row],
            zeros=zeros[row],
            figures={name: values[row] for name, values in figures.items() if not np.isnan(values[row])},
            seconds=float(seconds[row]),
            probabilities=tuple(probabilities[row][~np.isnan(probabilities[row])].tolist()),
        )
        for row in range(count)
    )
    trajectory = Trajectory(epochs, read_json_object(group.attrs, "facts"), read_text(group.attrs, "failure"))
    for line in journal:
        number, epoch = line.decode(epoch_from_json)
        trajectory = trajectory.with_epoch(number, epoch)
    return trajectory


def epoch_to_json(number: int, epoch: Epoch) -> dict[str, Any]:
    """Return an epoch, counted from 0, as the entry of a journal's line."""
    return {
        "kind": EPOCH,
        "index": number,
        "architecture": epoch.architecture,
        "chosen": epoch.chosen,
        "skips": epoch.skips,
        "zeros": epoch.zeros,
        "figures": {name: number_to_json(value) for name, value in epoch.figures.items()},
        "seconds": epoch.seconds,
        "probabilities": epoch.probabilities,
    }


def epoch_from_json(entry: Mapping[str, Any]) -> tuple[int, Epoch]:
    """Return what :func:`epoch_to_json` was given. Raises what ``JournalLine.decode`` catches if it is none."""
    epoch = Epoch(
        architecture=str(entry["architecture"]),
        chosen=str(entry["chosen"]),
        skips=int(entry["skips"]),
        zeros=int(entry["zeros"]),
        figures={str(name): number_from_json(value) for name, value in entry["figures"].items()},
        seconds=float(entry["seconds"]),
        probabilities=tuple(map(float, entry["probabilities"])),
    )
    return int(entry["index"]), epoch


def _rows(rows: Sequence[Sequence[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return rows of one length; shorter ones end in NaN."""
    table = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
