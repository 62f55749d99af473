"""The journal of an unfinished run: one checksummed line for each finished job, on disk before the next begins.

A process can be killed while it rewrites an HDF5 file, and half an HDF5 file is no file. So records go to this
append-only text first; the HDF5 file is written whole, beside its old self, and then takes its place.

Every line but the first names its ``kind``. Records and architectures that join are known here; lines of other kinds
are handed to the reader as they are, who knows what else the writer had to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..domain import JobCost, Record, Status
from ..errors import ResultsFileError
from ..plan import JobIndex
from .contents import NewArchitecture
from .lines import LockedLines, decode_lines, read_content
from .validity import check_record
from .whole_files import target_of

JOURNAL_FORMAT = "nasbench-journal"
JOURNAL_VERSION = 3

RECORD = "record"
ARCHITECTURE = "architecture"

T = TypeVar("T")


def journal_path(path: Path) -> Path:
    """Return the journal that belongs to a results file; it exists only while its work is unfinished.

    Where ``path`` is a symbolic link, it is the journal of the file that it leads to: two links have the same one.

    Raises:
        ResultsFileError: There is something at ``path`` that is no file.
    """
    target = target_of(path)
    return target.with_name(target.name + ".journal")


class Journal(LockedLines):
    """The journal of a results file, opened for appending and locked against a second writer."""

    def __init__(self, path: Path, work_id: str) -> None:
        """Open or create the journal.

        Raises:
            ResultsFileError: It cannot be written, or another process holds it.
        """
        super().__init__(path, path.name.removesuffix(".journal"))
        self._header = {"format": JOURNAL_FORMAT, "format_version": JOURNAL_VERSION, "work_id": work_id}

    def clear(self) -> None:
        """Forget all lines, after they have become part of the HDF5 file."""
        self.truncate()
        self.append_line(self._header)


@dataclass(frozen=True)
class JournalLine:
    """A line whose kind is none of the journal's own.

    Attributes:
        path: The journal.
        number: Number of the line, from 1.
        kind: Its kind.
        entry: All that it says.
    """

    path: Path
    number: int
    kind: str
    entry: Mapping[str, Any]

    def decode(self, read: Callable[[Mapping[str, Any]], T]) -> T:
        """Return what ``read`` makes of the entry.

        Raises:
            ResultsFileError: It raises what a wrong entry leads to.
        """
        try:
            return read(self.entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise ResultsFileError(
                f"'{self.path}' has no valid {self.kind} at line {self.number}: {reason}. It was left as it is."
            ) from error


@dataclass(frozen=True)
class JournalContents:
    """What a journal holds.

    Attributes:
        path: The journal.
        work_id: Of the work that it belongs to, None if there is no journal or a kill left an empty one.
        records: The last record of each job.
        architectures: Those that have joined, in their order.
        others: Lines of other kinds, in their order.
    """

    path: Path
    work_id: str | None
    records: Mapping[JobIndex, Record] = field(default_factory=dict)
    architectures: tuple[NewArchitecture, ...] = ()
    others: tuple[JournalLine, ...] = ()

    def check_work(self, work_id: str) -> None:
        """Check that the journal belongs to a piece of work. Raises ResultsFileError if not."""
        if self.work_id not in (None, work_id):
            raise ResultsFileError(
                f"'{self.path}' belongs to another run than the results file beside it. Move one of them away."
            )


def read_journal(path: Path) -> JournalContents:
    """Read a journal; a last line cut short by a kill is dropped.

    Raises:
        ResultsFileError: The journal is damaged.
    """
    entries = decode_lines(path, read_content(path) or b"")
    if not entries:
        return JournalContents(path, None)
    header = entries[0]
    if header.get("format") != JOURNAL_FORMAT or header.get("format_version") != JOURNAL_VERSION:
        raise ResultsFileError(f"'{path}' is not a journal of this version of nasbench. It was left as it is.")
    lines = [_as_line(path, number, entry) for number, entry in enumerate(entries[1:], start=2)]
    return JournalContents(
        path,
        str(header.get("work_id")),
        dict(line.decode(record_from_json) for line in lines if line.kind == RECORD),
        tuple(line.decode(architecture_from_json) for line in lines if line.kind == ARCHITECTURE),
        tuple(line for line in lines if line.kind not in (RECORD, ARCHITECTURE)),
    )


def record_to_json(index: JobIndex, record: Record) -> dict[str, Any]:
    """Return one record as the entry of a line."""
    cost = record.cost
    return {
        "kind": RECORD,
        "job": index,
        "status": record.status,
        "score": number_to_json(record.score),
        "message": record.message,
        "cost": [cost.build, cost.transfer, cost.compute, cost.processor, cost.saved, cost.peak_memory],
        "curves": record.curves,
        "batches": record.batches,
        "traceback": record.traceback,
    }


def record_from_json(entry: Mapping[str, Any]) -> tuple[JobIndex, Record]:
    """Return the record of an entry. Raises what :meth:`JournalLine.decode` catches if it is none."""
    evaluator, arch = entry["job"]
    record = Record(
        Status(entry["status"]),
        number_from_json(entry["score"]),
        str(entry["message"]),
        _cost_from_json(entry["cost"]),
        {str(name): tuple(map(float, curve)) for name, curve in entry["curves"].items()},
        {str(name): str(digest) for name, digest in entry["batches"].items()},
        str(entry["traceback"]),
    )
    check_record(record)
    return (int(evaluator), int(arch)), record


def _cost_from_json(entry: Sequence[Any]) -> JobCost:
    build, transfer, compute, processor, saved, peak_memory = map(float, entry)
    return JobCost(build, transfer, compute, processor, saved, int(peak_memory))


def architecture_to_json(new: NewArchitecture) -> dict[str, Any]:
    """Return an architecture that joins as the entry of a line."""
    return {
        "kind": ARCHITECTURE,
        "arch_id": new.arch_id,
        "ground_truth": [number_to_json(value) for value in new.ground_truth],
    }


def architecture_from_json(entry: Mapping[str, Any]) -> NewArchitecture:
    """Return the architecture of an entry. Raises what :meth:`JournalLine.decode` catches if it is none."""
    return NewArchitecture(str(entry["arch_id"]), tuple(number_from_json(value) for value in entry["ground_truth"]))


def number_to_json(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else value


def number_from_json(value: Any) -> float:
    """Return what :func:`number_to_json` was given."""
    return math.nan if value is None else float(value)


def _as_line(path: Path, number: int, entry: Mapping[str, Any]) -> JournalLine:
    kind = entry.get("kind")
    if not isinstance(kind, str):
        raise ResultsFileError(f"'{path}' has no valid entry at line {number}: it names no kind. It was left as it is.")
    return JournalLine(path, number, kind, entry)
