"""Writes results as they come: to the journal at once, to the HDF5 file now and then and at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py

from ..domain import Record, Status
from ..errors import ResultsFileError
from ..plan import JobIndex, Plan
from .contents import EvaluatorResults, NewArchitecture, Results
from .journal import Journal, architecture_to_json, journal_path, record_to_json
from .records import PENDING, STATUSES, Records
from .store import RUN, Origin, new_results_file, open_results
from .whole_files import check_target

# The HDF5 file is rewritten at most this often, and at most a tenth of the time is spent on it.
CHECKPOINT_SECONDS = 30.0
CHECKPOINT_COST_FACTOR = 10.0


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
            ResultsFileError: The record's images are not those of the file's earlier records.
            ResultsWriteError: The disk is full or gone.
        """
        check_same_images(self.path, self._batches[index[0]], record)
        self._journal.append_line(record_to_json(index, record))
        self._held.records[index] = record
        due = max(CHECKPOINT_SECONDS, CHECKPOINT_COST_FACTOR * self._checkpoint_cost)
        if time.monotonic() - self._last_checkpoint > due:
            self.checkpoint()

    def add_architecture(self, new: NewArchitecture) -> None:
        """Store an architecture that joins, behind those that are there.

        Raises:
            ResultsWriteError: The disk is full or gone.
        """
        self._journal.append_line(architecture_to_json(new))
        self._held.architectures.append(new)

    def checkpoint(self) -> None:
        """Bring the HDF5 file up to date and empty the journal."""
        start = time.monotonic()
        with new_results_file(self.path, self.results(), self._origin) as file:
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


class ResultsWriter(JournaledWriter):
    """Writes a run's results; the indices of its records are those of the plan."""

    @classmethod
    def create(cls, path: Path, plan: Plan, environment: Mapping[str, Any], *, overwrite: bool) -> ResultsWriter:
        """Start a new file.

        Raises:
            ResultsFileError: The file exists and ``overwrite`` is false, or the place is not writable.
            ResultsWriteError: The disk is full.
        """
        with locked_journal(path, plan.plan_id) as journal:
            if not overwrite:
                refuse_existing(path, journal)
            return cls._begin(path, plan, environment, journal)

    @classmethod
    def resume(cls, path: Path, plan: Plan, environment: Mapping[str, Any]) -> ResultsWriter:
        """Continue a file, or start it if it does not exist.

        Raises:
            ResultsFileError: The file is damaged or was made by another plan.
            ResultsWriteError: The disk is full.
        """
        # Nothing is read before the lock is held: a run that is just ending may still add to the file.
        with locked_journal(path, plan.plan_id) as journal:
            if not path.exists():
                refuse_existing(path, journal)
                return cls._begin(path, plan, environment, journal)
            with open_results(path) as opened:
                _check_same_plan(path, opened.origin, opened.results, plan)
            stored = opened.results
            columns = [part.records for part in stored.evaluators]
            return cls(path, _results_of(plan, columns, stored.environment), opened.origin, journal)

    @classmethod
    def _begin(cls, path: Path, plan: Plan, environment: Mapping[str, Any], journal: Journal) -> ResultsWriter:
        columns = [Records.pending(len(plan.arch_ids))] * len(plan.evaluators)
        return cls(path, _results_of(plan, columns, environment), Origin.of_run(plan.plan_id), journal)


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


def check_same_images(path: Path, known: dict[str, str], record: Record) -> None:
    """Check that a job saw the batches that earlier jobs of its evaluator saw, and remember its own.

    Raises:
        ResultsFileError: It did not.
    """
    for name, digest in record.batches.items():
        if known.setdefault(name, digest) != digest:
            raise ResultsFileError(
                f"The scores in '{path}' were made from other images: its batch of {name} has the digest "
                f"{known[name]}, now it has {digest}. Bring back the images of that run, or choose another --output."
            )


def _results_of(plan: Plan, columns: Sequence[Records], environment: Mapping[str, Any]) -> Results:
    parts = tuple(EvaluatorResults(spec.header, column) for spec, column in zip(plan.evaluators, columns, strict=True))
    return Results(plan.header, plan.arch_ids, plan.ground_truth, parts, environment, plan.aggregates)


def _check_same_plan(path: Path, origin: Origin, stored: Results, plan: Plan) -> None:
    if origin.command != RUN:
        raise ResultsFileError(
            f"'{path}' was made by 'nasbench {origin.command}'. Continue it with the command that made it, or choose "
            "another --output."
        )
    if stored.plan_id == plan.plan_id:
        return
    differences = [
        f"{name} ({old} in the file, {new} now)"
        for name, old, new in (
            ("space", stored.plan.space, plan.header.space),
            ("dataset", stored.plan.dataset, plan.header.dataset),
            ("seed", stored.plan.seed, plan.header.seed),
            ("evaluators", _labels(stored), [spec.header.label for spec in plan.evaluators]),
            ("number of architectures", len(stored.arch_ids), len(plan.arch_ids)),
        )
        if old != new
    ]
    where = ", ".join(differences) or "settings or versions of evaluators, or the architectures themselves"
    raise ResultsFileError(
        f"'{path}' was made by another plan; it differs in: {where}. Repeat the command that made it, or choose "
        "another --output."
    )


def _labels(results: Results) -> list[str]:
    return [part.header.label for part in results.evaluators]
