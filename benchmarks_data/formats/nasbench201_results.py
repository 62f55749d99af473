"""What the files of NAS-Bench-201 and NATS-Bench (topology) hold for an architecture, and the table made of it.

Both benchmarks keep, for each architecture and each length of training, one record a data set and seed (a "trial")
with a value for each epoch; see ``ArchResults`` and ``ResultsCount`` in their code. A table needs the last epoch only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from ..tables.raw import RawTable
from ..tables.repeats import MOST_RUNS

HOME = "https://github.com/D-X-Y/NATS-Bench"

_ACCURACIES = (
    ("cifar10", "ori-test", "cifar10/test_accuracy"),
    ("cifar100", "x-test", "cifar100/test_accuracy"),
    ("ImageNet16-120", "x-test", "imagenet16-120/test_accuracy"),
    ("cifar10-valid", "x-valid", "cifar10-valid/validation_accuracy"),
    ("cifar100", "x-valid", "cifar100/validation_accuracy"),
    ("ImageNet16-120", "x-valid", "imagenet16-120/validation_accuracy"),
)
_DATASETS = ("cifar10", "cifar10-valid", "cifar100", "ImageNet16-120")
_TIMES = tuple((name, f"{name.lower()}/training_seconds") for name in _DATASETS)
_QUANTITIES = (*(key for *_, key in _ACCURACIES), *(key for _, key in _TIMES))

Trials = Mapping[object, object]


class Row(tuple[object, ...]):
    """An architecture's string and what its runs gave for each quantity, told from the tuples that a file may hold."""

    __slots__ = ()


class ResultsReader:
    """Turns the records of one file into rows of a table.

    Attributes:
        epochs_by_key: Number of training epochs by the name that the file has for it, such as ``full``.
    """

    def __init__(self, file_name: str, epochs_by_key: Mapping[str, int]) -> None:
        self.file_name = file_name
        self.epochs_by_key = epochs_by_key

    def reduce(self, container: dict[object, object]) -> object:
        """Return the row of an architecture's record, any other dict as it is; for ``load_plain``."""
        if not any(isinstance(container.get(key), dict) for key in self.epochs_by_key):
            return container
        return self.row(container)

    def row(self, record: object) -> Row:
        """Return the architecture's string and what its trials gave for each quantity, nothing where there is none.

        Raises:
            DataError: The record is not of this benchmark.
        """
        if not isinstance(record, dict):
            raise self.refusal("an architecture's record is missing")
        names: set[str] = set()
        runs: list[tuple[float, ...]] = []
        for key, epochs in self.epochs_by_key.items():
            results = record.get(key)
            if not isinstance(results, dict) or not isinstance(results.get("all_results"), dict):
                raise self.refusal(f"the record of an architecture has no results '{key}'")
            name = _shown(results.get("arch_str"))
            names.add(name)
            runs += self._runs(name, results["all_results"], epochs)
        if len(names) != 1:
            raise self.refusal(f"one record is of several architectures: {', '.join(sorted(names)):.200}")
        return Row((names.pop(), *runs))

    def table(self, architectures: object, rows: Mapping[int, object]) -> RawTable:
        """Return the table of rows by their index in the file's list of architectures.

        Raises:
            DataError: The list and the rows do not fit together, or there is no row.
        """
        if not isinstance(architectures, list | tuple) or not all(isinstance(text, str) for text in architectures):
            raise self.refusal("it has no list of architectures ('meta_archs')")
        indices = sorted(rows)
        if not indices:
            raise self.refusal("it holds no results")
        for index in indices:
            self._check_row(index, rows[index], architectures)
        keys = [f"{quantity}@{epochs}" for epochs in self.epochs_by_key.values() for quantity in _QUANTITIES]
        quantities = dict(zip(keys, zip(*(rows[index][1:] for index in indices), strict=True), strict=True))  # type: ignore[index]
        return RawTable(
            architectures=[architectures[index] for index in indices],
            columns={key: np.array([_mean(runs) for runs in of_rows]) for key, of_rows in quantities.items()},
            runs={key: _padded(of_rows) for key, of_rows in quantities.items()},
            reduction="mean of the runs",
            row_name=lambda row: f"architecture index {indices[row]}",
        )

    def refusal(self, problem: str) -> DataError:
        """Return the error to raise for something wrong with the file."""
        return DataError(
            f"'{self.file_name}' is not a NAS-Bench-201 or NATS-Bench topology file as published: {problem}. "
            f"Get it again from {HOME}."
        )

    def _check_row(self, index: int, row: object, architectures: Sequence[str]) -> None:
        if type(index) is not int or not 0 <= index < len(architectures):
            raise self.refusal(f"it has results for index {_shown(index):.40}, of {len(architectures):,} architectures")
        if not isinstance(row, Row) or row[0] != architectures[index]:
            raise self.refusal(f"the results at index {index} are not those of '{architectures[index]:.100}'")

    def _runs(self, architecture: str, all_results: Trials, epochs: int) -> list[tuple[float, ...]]:
        trials: dict[str, list[Mapping[object, object]]] = {}
        for key, trial in all_results.items():
            if not isinstance(key, tuple) or not isinstance(trial, dict) or trial.get("epochs") != epochs:
                raise self.refusal(f"'{architecture:.100}' has a run that is not one of {epochs} epochs")
            trials.setdefault(_shown(key[0]) if key else "", []).append(trial)
        place = f"'{architecture:.100}' after {epochs} epochs"
        accuracies = [
            self._present(place, [_accuracy(trial, split, epochs) for trial in trials.get(dataset, [])])
            for dataset, split, _ in _ACCURACIES
        ]
        times = [
            self._present(place, [_total_time(trial, epochs) for trial in trials.get(dataset, [])])
            for dataset, _ in _TIMES
        ]
        return accuracies + times

    def _present(self, place: str, values: Sequence[object]) -> tuple[float, ...]:
        """Return those values that are there."""
        present = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise self.refusal(f"{place}: a value that is no finite number ({_shown(value):.40})")
            present.append(float(value))
        return tuple(present)


def _mean(runs: Sequence[float]) -> float:
    """Return the mean of some runs, NaN if there is none."""
    return sum(runs) / len(runs) if runs else math.nan


def _padded(runs: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
    """Return the first runs of each row, NaN where there are fewer."""
    padded = np.full((len(runs), MOST_RUNS), np.nan)
    for row, values in enumerate(runs):
        padded[row, : len(values)] = values[:MOST_RUNS]
    return padded


def _shown(value: object) -> str:
    """Return a scalar as text, of anything else only its kind: containers that share parts can be endless as texts."""
    return str(value) if isinstance(value, str | int | float | None) else type(value).__name__


def _accuracy(trial: Mapping[object, object], split: str, epochs: int) -> object:
    """Return the accuracy in percent on a split after the last epoch, None if it is not there."""
    values = trial.get("eval_acc1es")
    return values.get(f"{split}@{epochs - 1}") if isinstance(values, dict) else None


def _total_time(trial: Mapping[object, object], epochs: int) -> object:
    """Return the seconds that the training took, None if they are missing for some epoch."""
    times = trial.get("train_times")
    if not isinstance(times, dict) or len(times) != epochs:
        return None
    values = list(times.values())
    return sum(values) if all(isinstance(value, int | float) for value in values) else math.nan
