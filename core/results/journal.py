"""The journal of an unfinished run: one checksummed line for each finished job, on disk before the next begins.

The journal of a search has a line for each proposal of its strategy as well, before that proposal's job begins.

A process can be killed while it rewrites an HDF5 file, and half an HDF5 file is no file. So records go to this
append-only text first; the HDF5 file is written whole, beside its old self, and then takes its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..domain import Record, Seconds, Status
from ..errors import ResultsFileError
from ..plan import JobIndex
from .layout import FORMAT_VERSION, JOURNAL_FORMAT
from .lines import LockedLines, decode_lines


@dataclass(frozen=True)
class Proposal:
    """A proposal of a search's strategy.

    Attributes:
        architecture: As the strategy spelled it.
        arch_id: Its canonical string.
        is_new: Whether no isomorphic architecture had been proposed before.
        ground_truth: If it is new, its value in each column of the table, NaN where there is none.
        rung: At which fidelity it is to be evaluated, from 0, where a search has several.
    """

    architecture: str
    arch_id: str
    is_new: bool
    ground_truth: tuple[float, ...] = ()
    rung: int = 0


class Journal(LockedLines):
    """The journal of a run, opened for appending and locked against a second run."""

    def __init__(self, path: Path, plan_id: str) -> None:
        """Open or create the journal.

        Raises:
            ResultsFileError: It cannot be written, or another run holds it.
        """
        super().__init__(path, path.name.removesuffix(".journal"))
        self._header = {"format": JOURNAL_FORMAT, "format_version": FORMAT_VERSION, "plan_id": plan_id}

    def append(self, position: JobIndex, record: Record) -> None:
        """Write one record; when this returns, killing the process cannot lose it.

        Raises:
            ResultsWriteError: The disk is full or gone. All earlier records stay readable.
        """
        self.append_line(record_to_json(position, record))

    def append_proposal(self, index: int, proposal: Proposal) -> None:
        """Write the ``index``-th proposal of a search, counted from 0.

        Raises:
            ResultsWriteError: The disk is full or gone. All earlier lines stay readable.
        """
        self.append_line(_proposal_to_json(index, proposal))

    def clear(self) -> None:
        """Forget all records, after they have become part of the HDF5 file."""
        self.truncate()
        self.append_line(self._header)


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
    records: dict[JobIndex, Record]
    proposals: dict[int, Proposal] = field(default_factory=dict)

    def records_of(self, plan_id: str) -> dict[JobIndex, Record]:
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
    entries = decode_lines(path, path.read_bytes()) if path.is_file() else []
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
            position, record = record_from_json(path, number, entry)
            contents.records[position] = record
    return contents


def record_to_json(position: JobIndex, record: Record) -> dict[str, Any]:
    """Return one record as the entry of a line."""
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
        "rung": proposal.rung,
    }


def _proposal_from_json(path: Path, number: int, entry: Mapping[str, Any]) -> tuple[int, Proposal]:
    try:
        truth = tuple(math.nan if value is None else float(value) for value in entry["ground_truth"])
        rung = int(entry.get("rung", 0))  # journals are older than fidelities
        proposal = Proposal(str(entry["architecture"]), str(entry["arch_id"]), bool(entry["is_new"]), truth, rung)
        return int(entry["proposal"]), proposal
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsFileError(f"'{path}' has no valid proposal at line {number}: {error}.") from error


def record_from_json(path: Path, number: int, entry: Mapping[str, Any]) -> tuple[JobIndex, Record]:
    """Return the record of an entry, the ``number``-th line of ``path``. Raises ResultsFileError if it is none."""
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
