"""The outcomes of one evaluator's jobs as columns, which files, results and reports share.

As a sequence they give the record of one job; whatever needs all jobs takes the columns.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..domain import JobCost, Record, Status

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

STATUSES = tuple(Status)
CODES = {status: code for code, status in enumerate(STATUSES)}
OK = CODES[Status.OK]
PENDING_CODE = CODES[Status.PENDING]

SECONDS_PARTS = ("build", "transfer", "compute", "processor", "saved")
WALL_PARTS = 3

PENDING = Record(Status.PENDING, math.nan)


@dataclass(frozen=True, eq=False)
class Records(Sequence[Record]):
    """What became of one evaluator's jobs, one row for each architecture. Its arrays must never be changed.

    Attributes:
        statuses: How each job ended, as positions in ``STATUSES``; shape `(rows,)`.
        scores: NaN unless the job is ok; shape `(rows,)`.
        messages: Why there is no score, as texts; shape `(rows,)`.
        tracebacks: Where the evaluator failed, as texts that are empty elsewhere; shape `(rows,)`.
        seconds: Seconds of the ``SECONDS_PARTS``, see :class:`JobCost`; shape `(rows, 5)`.
        peak_memory: Bytes by which memory rose, 0 where that is not known; shape `(rows,)`.
        curves: By name in alphabetical order; shape `(rows, points)`, shorter curves end in NaN.
        batches: The batches of inputs that the jobs saw: digest by description.
    """

    statuses: Codes
    scores: Floats
    messages: npt.NDArray[np.object_]
    tracebacks: npt.NDArray[np.object_]
    seconds: Floats
    peak_memory: Floats
    curves: Mapping[str, Floats] = field(default_factory=dict)
    batches: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def pending(cls, rows: int) -> Records:
        """Return rows of jobs that have not been done."""
        return cls(
            statuses=np.full(rows, PENDING_CODE, np.uint8),
            scores=np.full(rows, np.nan),
            messages=np.full(rows, "", object),
            tracebacks=np.full(rows, "", object),
            seconds=np.zeros((rows, len(SECONDS_PARTS))),
            peak_memory=np.zeros(rows),
        )

    @classmethod
    def of(cls, records: Iterable[Record]) -> Records:
        """Return the columns of some records."""
        rows = dict(enumerate(records))
        return cls.pending(len(rows)).updated(rows)

    @property
    def ok(self) -> Mask:
        """Whether there is a score; shape `(rows,)`."""
        ok: Mask = self.statuses == OK
        return ok

    @property
    def done(self) -> Mask:
        """Whether the job has ended, whatever its status; shape `(rows,)`."""
        done: Mask = self.statuses != PENDING_CODE
        return done

    @property
    def total_seconds(self) -> Floats:
        """Wall-clock seconds of each job; shape `(rows,)`."""
        total: Floats = self.seconds[:, :WALL_PARTS].sum(axis=1)
        return total

    @property
    def processor_seconds(self) -> Floats:
        """Seconds on processors of each job, 0 where they are not known; shape `(rows,)`."""
        return self.seconds[:, SECONDS_PARTS.index("processor")]

    @property
    def saved_seconds(self) -> Floats:
        """How many of ``processor_seconds`` other jobs spent; shape `(rows,)`."""
        return self.seconds[:, SECONDS_PARTS.index("saved")]

    def count_by_status(self) -> Mapping[Status, int]:
        """Return how many jobs ended in each of the ways that occur, in the order of ``Status``."""
        counts = Counter(self.statuses.tolist())
        return {status: counts[code] for code, status in enumerate(STATUSES) if counts[code]}

    def take(self, rows: npt.NDArray[Any] | slice) -> Records:
        """Return some rows: by position, or those where a mask is true."""
        curves = {name: curve[rows] for name, curve in self.curves.items()}
        return replace(
            self, statuses=self.statuses[rows], scores=self.scores[rows], messages=self.messages[rows],
            tracebacks=self.tracebacks[rows], seconds=self.seconds[rows], peak_memory=self.peak_memory[rows],
            curves=curves,
        )  # fmt: skip

    def extended(self, rows: int) -> Records:
        """Return the columns with pending rows behind the last, so that there are ``rows``."""
        more = rows - len(self)
        if not more:
            return self
        added = Records.pending(more)
        return replace(
            self,
            statuses=np.concatenate([self.statuses, added.statuses]),
            scores=np.concatenate([self.scores, added.scores]),
            messages=np.concatenate([self.messages, added.messages]),
            tracebacks=np.concatenate([self.tracebacks, added.tracebacks]),
            seconds=np.concatenate([self.seconds, added.seconds]),
            peak_memory=np.concatenate([self.peak_memory, added.peak_memory]),
            curves={
                name: np.pad(curve, ((0, more), (0, 0)), constant_values=np.nan) for name, curve in self.curves.items()
            },
        )

    def updated(self, records: Mapping[int, Record]) -> Records:
        """Return the columns with some rows replaced."""
        if not records:
            return self
        statuses, scores, messages = self.statuses.copy(), self.scores.copy(), self.messages.copy()
        tracebacks, seconds, batches = self.tracebacks.copy(), self.seconds.copy(), dict(self.batches)
        peak_memory = self.peak_memory.copy()
        for row, record in records.items():
            statuses[row] = CODES[record.status]
            scores[row] = record.score
            messages[row] = record.message
            tracebacks[row] = record.traceback
            seconds[row] = [getattr(record.cost, part) for part in SECONDS_PARTS]
            peak_memory[row] = record.cost.peak_memory
            batches.update(record.batches)
        curves = self._updated_curves(records)
        return Records(statuses, scores, messages, tracebacks, seconds, peak_memory, curves, batches)

    def merged(self, others: Records, better: Mask) -> Records:
        """Return the columns with the rows of ``others`` where ``better`` is true; shape `(rows,)`."""
        return Records(
            statuses=np.where(better, others.statuses, self.statuses),
            scores=np.where(better, others.scores, self.scores),
            messages=np.where(better, others.messages, self.messages),
            tracebacks=np.where(better, others.tracebacks, self.tracebacks),
            seconds=np.where(better[:, None], others.seconds, self.seconds),
            peak_memory=np.where(better, others.peak_memory, self.peak_memory),
            curves=_merged_curves(self, others, better),
            batches={**self.batches, **others.batches},
        )

    def curve_lengths(self, name: str) -> npt.NDArray[np.int64]:
        """Return how many points each row's curve has; shape `(rows,)`."""
        known = ~np.isnan(self.curves[name])
        points = known.shape[1]
        lengths: npt.NDArray[np.int64] = np.where(known.any(axis=1), points - known[:, ::-1].argmax(axis=1), 0)
        return lengths

    def __len__(self) -> int:
        return len(self.statuses)

    @overload
    def __getitem__(self, row: int) -> Record: ...
    @overload
    def __getitem__(self, row: slice) -> Records: ...
    def __getitem__(self, row: int | slice) -> Record | Records:
        if isinstance(row, slice):
            return self.take(row)
        status = STATUSES[self.statuses[row]]
        build, transfer, compute, processor, saved = self.seconds[row].tolist()
        return Record(
            status,
            float(self.scores[row]) if status is Status.OK else math.nan,  # one NaN, so that records can be compared
            self.messages[row],
            JobCost(build, transfer, compute, processor, saved, int(self.peak_memory[row])),
            {name: curve for name in self.curves if (curve := _trimmed(self.curves[name][row]))},
            {} if status is Status.PENDING else self.batches,
            self.tracebacks[row],
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Records):
            return NotImplemented
        return (
            np.array_equal(self.statuses, other.statuses)
            and np.array_equal(self.scores, other.scores, equal_nan=True)
            and np.array_equal(self.messages, other.messages)
            and np.array_equal(self.tracebacks, other.tracebacks)
            and np.array_equal(self.seconds, other.seconds)
            and np.array_equal(self.peak_memory, other.peak_memory)
            and self.batches == other.batches
            and self.curves.keys() == other.curves.keys()
            and all(np.array_equal(self.curves[name], other.curves[name], equal_nan=True) for name in self.curves)
        )

    __hash__ = None  # type: ignore[assignment]

    def _updated_curves(self, records: Mapping[int, Record]) -> dict[str, Floats]:
        names = self.curves.keys() | {name for record in records.values() for name in record.curves}
        replaced = list(records)
        curves = {}
        for name in sorted(names):
            new = [record.curves.get(name, ()) for record in records.values()]
            old = self.curves.get(name, np.empty((len(self), 0)))
            updated = _widened(old, max(1, *map(len, new), old.shape[1]))
            updated[replaced] = np.nan
            for row, curve in zip(replaced, new, strict=True):
                updated[row, : len(curve)] = curve
            curves[name] = updated
        return curves


def _merged_curves(ours: Records, theirs: Records, better: Mask) -> dict[str, Floats]:
    merged = {}
    for name in sorted(ours.curves.keys() | theirs.curves.keys()):
        none = np.empty((len(better), 0))
        pair = [records.curves.get(name, none) for records in (ours, theirs)]
        mine, other = (_widened(curve, max(curve.shape[1] for curve in pair)) for curve in pair)
        merged[name] = np.where(better[:, None], other, mine)
    return merged


def _widened(curves: Floats, points: int) -> Floats:
    """Return a copy in which every curve has ``points``."""
    return _padded(curves, 0, points - curves.shape[1])


def _padded(curves: Floats, rows: int, points: int) -> Floats:
    """Return a copy with rows and points more, which are NaN."""
    return np.pad(curves, ((0, rows), (0, points)), constant_values=np.nan)


def _trimmed(curve: Floats) -> tuple[float, ...]:
    """Return a row's curve without the NaN behind its last point."""
    length = int(np.flatnonzero(~np.isnan(curve)).max(initial=-1)) + 1
    return tuple(curve[:length].tolist())
