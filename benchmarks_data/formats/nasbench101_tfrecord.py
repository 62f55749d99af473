"""NAS-Bench-101 as published: ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord``.

Each record is one training: a JSON list of the cell's hash, the epochs of the schedule, the adjacency matrix row by
row, the operations of all vertices, and a protocol buffer in base64 (``nasbench/api.py`` of the benchmark). The values
at half of a schedule are left out: a network half way through a schedule of 108 epochs has not finished one of 54.
"""

from __future__ import annotations

import base64
import json
import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.interfaces import Progress
from ..tables.raw import RawTable
from .model_metrics import decode_evaluation, decode_model_metrics
from .tfrecord import read_records

HOME = "https://github.com/google-research/nasbench"
EPOCHS = (4, 12, 36, 108)
NUM_REPEATS = 3

_QUANTITIES = ("train_accuracy", "validation_accuracy", "test_accuracy", "training_seconds")
_MAX_VERTICES = 7
_FIRST_CAPACITY = 1 << 10


class _MalformedError(ValueError):
    """What is wrong with a record, without its number."""


def read_nasbench101_tfrecord(path: Path, progress: Progress) -> RawTable:
    """Return the mean over the runs of each cell at the end of each schedule; accuracies in percent.

    Args:
        path: The ``.tfrecord`` file.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        DataError: The file is damaged or cut off, or a record is not one of NAS-Bench-101.
    """
    table = _Accumulator()
    number = 0
    for number, record in enumerate(read_records(path, progress), 1):
        try:
            table.add(record)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"'{path.name}', record {number:,}: {error}. This is not NAS-Bench-101 as published, or an older "
                f"file of it: get 'nasbench_only108.tfrecord' or 'nasbench_full.tfrecord' from {HOME}."
            ) from error
    if not number:
        raise DataError(f"'{path.name}' is empty. Get it again from {HOME}.")
    return table.finish()


class _Accumulator:
    """Sums over the runs of each cell and its first runs, one row a cell; no record is kept."""

    def __init__(self) -> None:
        self._rows: dict[bytes, int] = {}
        self._architectures: list[str] = []
        self._sums = np.zeros((_FIRST_CAPACITY, len(EPOCHS), len(_QUANTITIES)))
        self._counts = np.zeros((_FIRST_CAPACITY, len(EPOCHS)), dtype=np.int64)
        # In single precision, which tells every two of the accuracies apart.
        self._runs = np.full((_FIRST_CAPACITY, len(EPOCHS), len(_QUANTITIES), NUM_REPEATS), np.nan, np.float32)
        self._parameters: list[int] = []

    def add(self, record: bytes) -> None:
        """Add one training.

        Raises:
            _MalformedError: It is not a record of NAS-Bench-101.
        """
        match json.loads(record.decode()):
            case [str() as module_hash, int() as epochs, str() as adjacency, str() as operations, str() as metrics]:
                values, parameters = _decode_metrics(metrics, epochs)
                row = self._row(module_hash, _architecture(adjacency, operations), parameters)
                schedule = EPOCHS.index(epochs)
                self._sums[row, schedule] += values
                if self._counts[row, schedule] < NUM_REPEATS:
                    self._runs[row, schedule, :, self._counts[row, schedule]] = values
                self._counts[row, schedule] += 1
            case _:
                raise _MalformedError("expected a list of hash, epochs, adjacency matrix, operations and metrics")

    def finish(self) -> RawTable:
        """Return the means."""
        num_rows = len(self._architectures)
        counts = self._counts[:num_rows]
        with np.errstate(invalid="ignore"):
            means = self._sums[:num_rows] / counts[:, :, np.newaxis]
        columns = {
            f"cifar10/{quantity}@{epochs}": means[:, schedule, position]
            for schedule, epochs in enumerate(EPOCHS)
            if counts[:, schedule].any()
            for position, quantity in enumerate(_QUANTITIES)
        }
        runs = {
            f"cifar10/{quantity}@{epochs}": self._runs[:num_rows, schedule, position]
            for schedule, epochs in enumerate(EPOCHS)
            for position, quantity in enumerate(_QUANTITIES)
        }
        parameters = np.array(self._parameters, dtype=np.int64)
        columns["network/parameters"] = parameters.astype(np.float64)
        hashes = [digest.hex() for digest in self._rows]
        return RawTable(
            architectures=self._architectures,
            columns=columns,
            runs=runs,
            reduction="mean of the runs",
            checks={"module_hash": hashes, "trainable_parameters": parameters},
            notes=_notes(counts),
            row_name=lambda row: f"the cell with hash {hashes[row]}",
        )

    def _row(self, module_hash: str, architecture: str, parameters: int) -> int:
        try:
            digest = bytes.fromhex(module_hash)
        except ValueError:
            digest = b""
        if len(digest) != 16:
            raise _MalformedError(f"the hash '{module_hash:.50}' is not one of 32 hexadecimal digits")
        row = self._rows.setdefault(digest, len(self._architectures))
        if row == len(self._architectures):
            self._architectures.append(architecture)
            self._parameters.append(parameters)
            self._grow(row)
        elif self._architectures[row] != architecture or self._parameters[row] != parameters:
            raise _MalformedError(f"the cell with hash {module_hash} differs from that of an earlier record")
        return row

    def _grow(self, row: int) -> None:
        if row == len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._runs = np.concatenate([self._runs, np.full_like(self._runs, np.nan)])


def _decode_metrics(metrics: str, epochs: int) -> tuple[list[float], int]:
    """Return accuracies in percent and seconds at the end of the training, and the number of parameters."""
    if epochs not in EPOCHS:
        raise _MalformedError(f"a schedule of {epochs} epochs; the benchmark has {', '.join(map(str, EPOCHS))}")
    try:
        # Lenient, as the benchmark's own reader: some files have line breaks in it, as encodebytes writes them.
        message = decode_model_metrics(base64.b64decode(metrics))
        # Evaluated before, half way through and after the training.
        end = decode_evaluation(message.evaluations[2])
    except (ValueError, IndexError) as error:
        raise _MalformedError(f"its metrics cannot be read ({error})") from error
    if end.epoch is not None and not abs(end.epoch - epochs) < 0.5:
        raise _MalformedError(f"its last evaluation is after {end.epoch:g} epochs, its schedule has {epochs}")
    accuracies = [_percent(value) for value in (end.train_accuracy, end.validation_accuracy, end.test_accuracy)]
    seconds = end.training_seconds
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        raise _MalformedError(f"expected a training time in seconds, got {seconds}")
    if message.trainable_parameters is None or message.trainable_parameters >= 1 << 31:
        raise _MalformedError("expected a number of trainable parameters")
    return [*accuracies, seconds], message.trainable_parameters


def _percent(accuracy: float | None) -> float:
    if accuracy is None or not 0 <= accuracy <= 1:
        raise _MalformedError(f"expected an accuracy between 0 and 1, got {accuracy}")
    return 100 * accuracy


@lru_cache(maxsize=1 << 12)
def _architecture(adjacency: str, operations: str) -> str:
    """Return ``BITS:OPS``, the upper triangle of the matrix row by row and the operations between input and output."""
    size = math.isqrt(len(adjacency))
    labels = operations.split(",")
    if not 2 <= size <= _MAX_VERTICES or size * size != len(adjacency) or not set(adjacency) <= {"0", "1"}:
        raise _MalformedError(f"expected a square matrix of at most {_MAX_VERTICES} vertices, got '{adjacency:.60}'")
    if len(labels) != size or labels[0] != "input" or labels[-1] != "output":
        raise _MalformedError(f"expected {size} operations from 'input' to 'output', got '{operations:.120}'")
    rows = [adjacency[size * row : size * (row + 1)] for row in range(size)]
    if any("1" in row[: index + 1] for index, row in enumerate(rows)):
        raise _MalformedError(f"the matrix '{adjacency}' has an edge that goes backwards")
    bits = "".join(row[index + 1 :] for index, row in enumerate(rows))
    return f"{bits}:{','.join(labels[1:-1])}"


def _notes(counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> tuple[str, ...]:
    present = counts.sum(axis=0) > 0
    notes = []
    if not present.all():
        missing = ", ".join(str(epochs) for epochs, there in zip(EPOCHS, present, strict=True) if not there)
        notes.append(f"The file has no trainings of {missing} epochs; 'nasbench_full.tfrecord' has all.")
    irregular = int((counts[:, present] != NUM_REPEATS).any(axis=1).sum())
    if irregular:
        notes.append(f"{irregular:,} cells have other than {NUM_REPEATS} runs of a schedule, as a cut file has them.")
    return tuple(notes)
