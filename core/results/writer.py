"""Writes results as they come: to the journal at once, to the HDF5 file now and then and at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py

from ..domain import Record, Status
from ..errors import ResultsFileError
from ..plan import JobIndex
from .contents import NewArchitecture, Results
from .journal import Journal, architecture_to_json, journal_path, record_to_json
from .records import PENDING, STATUSES, Records
from .store import Origin, new_results_file
from .whole_files import check_target, target_of

# The HDF5 file is rewritten at most this often, and at most a tenth of the time is spent on it.
CHECKPOINT_SECONDS = 30.0
CHECKPOINT_COST_FACTOR = 10.0

# A larger journal would take long to read.
CHECKPOINT_BYTES = 2**26


@dataclass
class _Held:
    """What a file holds: results, and what has come since and becomes part of them when the file is written."""

    results: Results
    architectures: list[NewArchitecture] = field(default_factory=list)
    records: dict[JobIndex, Record] = field(default_factory=dict)

    def joined(self) -> Results:
        return self.results.with_architectures(self.architectures).with_records(self.records)

    def find(self, index: JobIndex) -> tuple[Record, Records | None]:
        """Return the record of a job that has come since, or the column that has its row."""
        column = self.results.evaluators[index[0]].records
        if index in self.records or index[1] >= len(column):
            return self.records.get(index, PENDING), None
        return PENDING, column


class JournaledWriter:
    """The only writer of a results file: it holds the journal's lock.

    A subclass may write elements of its own: see ``_write_more``.

    Args:
        path: The results file.
        results: What it holds at first.
        origin: Which work it is of.
        journal: Its journal.
    """

    def __init__(self, path: Path, results: Results, origin: Origin, journal: Journal) -> None:
        self.path = path
        self._target = target_of(path)
        self._journal = journal
        self._origin = origin
        self._held = _Held(results)
        self._batches = [dict(part.batches) for part in results.evaluators]
        self.checkpoint()

    def results(self) -> Results:
        """Return what the file holds."""
        self._held = _Held(self._held.joined())  # in one step, so that an interrupt finds either
        return self._held.results

    def status(self, index: JobIndex) -> Status:
        """Return how a job ended, pending if it has not been done."""
        record, column = self._held.find(index)
        return record.status if column is None else STATUSES[column.statuses[index[1]]]

    def record(self, index: JobIndex) -> Record:
        """Return the record of a job, a pending one if it has not been done."""
        record, column = self._held.find(index)
        return record if column is None else column[index[1]]

    def add(self, index: JobIndex, record: Record) -> None:
        """Store one record on disk; now and then the HDF5 file is brought up to date as well.

        Raises:
            ResultsFileError: The record's inputs are not those of the file's earlier records.
            ResultsWriteError: The disk is full or gone.
        """
        check_same_inputs(self.path, self._batches[index[0]], record)
        # Held first: after an interrupt between the two, the file is written from what is held.
        self._held.records[index] = record
        self._journal.append_line(record_to_json(index, record))
        due = max(CHECKPOINT_SECONDS, CHECKPOINT_COST_FACTOR * self._checkpoint_cost)
        if time.monotonic() - self._last_checkpoint > due or self._journal.size > CHECKPOINT_BYTES:
            self.checkpoint()

    def add_architecture(self, new: NewArchitecture) -> None:
        """Store an architecture that joins, behind those that are there.

        Raises:
            ResultsWriteError: The disk is full or gone.
        """
        self._held.architectures.append(new)
        self._journal.append_line(architecture_to_json(new))

    def checkpoint(self) -> None:
        """Bring the HDF5 file up to date and empty the journal."""
        start = time.monotonic()
        with new_results_file(self._target, self.results(), self._origin) as file:
            self._write_more(file)
        self._journal.clear()
        self._last_checkpoint = time.monotonic()
        self._checkpoint_cost = self._last_checkpoint - start

    def _write_more(self, file: h5py.File) -> None:
        """Write elements that are no part of results."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Bring the HDF5 file up to date and remove the journal; keep the journal where that fails."""
        saved = False
        try:
            self.checkpoint()
            saved = True
        finally:
            self._journal.close(remove=saved)


@contextmanager
def locked_journal(path: Path, work_id: str) -> Iterator[Journal]:
    """Give the journal of a file to its writer; where that fails, leave the place as it was found."""
    check_target(path)
    journal = Journal(journal_path(path), work_id)
    try:
        yield journal
    except BaseException:
        journal.abandon()
        raise


def refuse_existing(path: Path, journal: Journal) -> None:
    """Check that nothing is at ``path`` that a new file would replace. Raises ResultsFileError if something is."""
    if path.exists():
        raise ResultsFileError(
            f"'{path}' exists. Continue it with --resume, replace it with --overwrite, or choose another --output."
        )
    if not journal.is_empty:
        raise ResultsFileError(
            f"'{journal.path}' is left from a run whose results file is gone. Bring that file back, discard the "
            "records with --overwrite, or choose another --output."
        )


def check_same_inputs(path: Path, known: dict[str, str], record: Record) -> None:
    """Check that a job saw the batches that earlier jobs of its evaluator saw, and remember its own.

    Raises:
        ResultsFileError: It did not.
    """
    for name, digest in record.batches.items():
        if known.setdefault(name, digest) != digest:
            raise ResultsFileError(
                f"The scores in '{path}' were made from other inputs: its batch of {name} has the digest "
                f"{known[name]}, now it has {digest}. Bring back the data of that run, or choose another --output."
            )
