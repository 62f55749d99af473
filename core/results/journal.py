"""The journal of an unfinished run: one checksummed line for each finished job, on disk before the next begins.

The journal of a search has a line for each proposal of its strategy as well, before that proposal's job begins.

A process can be killed while it rewrites an HDF5 file, and half an HDF5 file is no file. So records go to this
append-only text first; the HDF5 file is written whole, beside its old self, and then takes its place.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..domain import Record, Seconds, Status
from ..errors import ResultsFileError, ResultsWriteError
from .layout import FORMAT_VERSION, JOURNAL_FORMAT

# Position of a job in the plan: (evaluator, architecture).
Position = tuple[int, int]


@dataclass(frozen=True)
class Proposal:
    """A proposal of a search's strategy.

    Attributes:
        architecture: As the strategy spelled it.
        arch_id: Its canonical string.
        is_new: Whether no isomorphic architecture had been proposed before.
        ground_truth: If it is new, its value in each column of the table, NaN where there is none.
    """

    architecture: str
    arch_id: str
    is_new: bool
    ground_truth: tuple[float, ...] = ()


class Journal:
    """The journal of a run, opened for appending and locked against a second run."""

    def __init__(self, path: Path, plan_id: str) -> None:
        """Open or create the journal.

        Raises:
            ResultsFileError: It cannot be written, or another run holds it.
        """
        self.path = path
        self._header = _encode({"format": JOURNAL_FORMAT, "format_version": FORMAT_VERSION, "plan_id": plan_id})
        self._descriptor = _open_locked(path)

    @property
    def is_empty(self) -> bool:
        """Whether no run has written to it."""
        return os.fstat(self._descriptor).st_size == 0

    def append(self, position: Position, record: Record) -> None:
        """Write one record; when this returns, killing the process cannot lose it.

        Raises:
            ResultsWriteError: The disk is full or gone. All earlier records stay readable.
        """
        self._write(_encode(_record_to_json(position, record)))

    def append_proposal(self, index: int, proposal: Proposal) -> None:
        """Write the ``index``-th proposal of a search, counted from 0.

        Raises:
            ResultsWriteError: The disk is full or gone. All earlier lines stay readable.
        """
        self._write(_encode(_proposal_to_json(index, proposal)))

    def clear(self) -> None:
        """Forget all records, after they have become part of the HDF5 file."""
        os.ftruncate(self._descriptor, 0)
        self._write(self._header)

    def abandon(self) -> None:
        """Unlock the journal and leave the place as it was found."""
        self.close(remove=self.is_empty)

    def close(self, *, remove: bool) -> None:
        """Unlock the journal, and delete it if its records are in the HDF5 file."""
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _write(self, line: bytes) -> None:
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                os.write(self._descriptor, line[written:])
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise ResultsWriteError(
                f"Cannot write '{self.path}': {error.strerror}. Everything up to here is kept; make room and run the "
                "same command with --resume."
            ) from error


def _open_locked(path: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise ResultsFileError(f"Cannot write '{path}': {error.strerror}. Choose another --output.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise ResultsFileError(
                f"Another run is writing '{path.name.removesuffix('.journal')}' now. Wait for it, or choose another "
                "--output."
            ) from error
        if _is_still_there(path, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still_there(path: Path, descriptor: int) -> bool:
    """Tell whether ``path`` is the file that was opened, or a run removed that one before we had the lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class JournalContents:
    """What a journal holds.

    Attributes:
        path: The journal.
        plan_id: Plan of its run or ``search_id`` of its search, None if there is no journal or a kill left an empty
            one.
        records: The last record of each job.
        proposals: Proposals of a search by their number.
    """

    path: Path
    plan_id: str | None
    records: dict[Position, Record]
    proposals: dict[int, Proposal] = field(default_factory=dict)

    def records_of(self, plan_id: str) -> dict[Position, Record]:
        """Return the records. Raises ResultsFileError if they belong to another run or search than ``plan_id``."""
        if self.plan_id not in (None, plan_id):
            raise ResultsFileError(
                f"'{self.path}' belongs to another run than the results file beside it. Move one of them away."
            )
        return self.records


def read_journal(path: Path) -> JournalContents:
    """Read a journal; a last line cut short by a kill is dropped.

    Raises:
        ResultsFileError: The journal is damaged.
    """
    lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
    entries = [_decode(path, number, line) for number, line in enumerate(lines, start=1)]
    if not entries:
        return JournalContents(path, None, {})
    if entries[0].get("format") != JOURNAL_FORMAT or entries[0].get("format_version") != FORMAT_VERSION:
        raise ResultsFileError(f"'{path}' is not a journal of this version of nasbench. It was left as it is.")
    contents = JournalContents(path, str(entries[0].get("plan_id")), {})
    for number, entry in enumerate(entries[1:], start=2):
        if "proposal" in entry:
            index, proposal = _proposal_from_json(path, number, entry)
            contents.proposals[index] = proposal
        else:
            position, record = _record_from_json(path, number, entry)
            contents.records[position] = record
    return contents


def _encode(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _decode(path: Path, number: int, line: bytes) -> dict[str, Any]:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        raise ResultsFileError(
            f"'{path}' is damaged at line {number}. It was left as it is; cut it before that line to keep what comes "
            "before."
        )
    try:
        entry = json.loads(text)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        raise ResultsFileError(f"'{path}' has no valid entry at line {number}. It was left as it is.")
    return entry


def _record_to_json(position: Position, record: Record) -> dict[str, Any]:
    seconds = record.seconds
    return {
        "job": position,
        "status": record.status,
        "score": None if math.isnan(record.score) else record.score,
        "message": record.message,
        "seconds": [seconds.build, seconds.transfer, seconds.compute],
        "curves": record.curves,
        "batches": record.batches,
    }


def _proposal_to_json(index: int, proposal: Proposal) -> dict[str, Any]:
    return {
        "proposal": index,
        "architecture": proposal.architecture,
        "arch_id": proposal.arch_id,
        "is_new": proposal.is_new,
        "ground_truth": [None if math.isnan(value) else value for value in proposal.ground_truth],
    }


def _proposal_from_json(path: Path, number: int, entry: Mapping[str, Any]) -> tuple[int, Proposal]:
    try:
        truth = tuple(math.nan if value is None else float(value) for value in entry["ground_truth"])
        proposal = Proposal(str(entry["architecture"]), str(entry["arch_id"]), bool(entry["is_new"]), truth)
        return int(entry["proposal"]), proposal
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsFileError(f"'{path}' has no valid proposal at line {number}: {error}.") from error


def _record_from_json(path: Path, number: int, entry: Mapping[str, Any]) -> tuple[Position, Record]:
    try:
        evaluator, arch = entry["job"]
        curves = {str(name): tuple(map(float, curve)) for name, curve in entry["curves"].items()}
        score = math.nan if entry["score"] is None else float(entry["score"])
        record = Record(
            Status(entry["status"]),
            score,
            str(entry["message"]),
            Seconds(*map(float, entry["seconds"])),
            curves,
            {str(name): str(digest) for name, digest in entry.get("batches", {}).items()},
        )
        if (record.status is Status.OK) != math.isfinite(score):
            raise ValueError(f"status {record.status} and score {score}")
        return (int(evaluator), int(arch)), record
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultsFileError(f"'{path}' has no valid record at line {number}: {error}.") from error
