"""The only place that says what a record must be, for one that comes from a journal and for columns of a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checked_evaluation import MAX_CURVE_POINTS, MAX_ESCAPED_NAME_LENGTH
from ..domain import Record, Status
from ..hdf5.limits import MAX_ARRAY_BYTES
from .records import STATUSES, Records


def most_curve_points(rows: int) -> int:
    """Return how many points a curve may have in a file of so many architectures, so that it can be read again."""
    return max(1, min(MAX_CURVE_POINTS, MAX_ARRAY_BYTES // 8 // max(1, rows)))


def check_record(record: Record) -> None:
    """Check one record. Raises ValueError if it contradicts itself."""
    if _contradicts(record.status is Status.OK, record.score):
        raise ValueError(f"status {record.status} and score {record.score}")
    for name, curve in record.curves.items():
        if not 0 < len(name) <= MAX_ESCAPED_NAME_LENGTH or not 0 < len(curve) <= MAX_CURVE_POINTS:
            raise ValueError(f"a curve of {len(curve)} points, whose name has {len(name)} characters")


def check_records(where: str, records: Records) -> None:
    """Check every row. Raises ValueError for the first one that contradicts itself; ``where`` says whose it is."""
    wrong = np.flatnonzero(_contradicts(records.ok, records.scores))
    if wrong.size:
        row = wrong[0]
        status, score = STATUSES[records.statuses[row]], records.scores[row]
        raise ValueError(f"'{where}' has status {status} and score {score} in row {row}")


def _contradicts(is_ok: Any, score: Any) -> Any:
    """Whether a score is there without the status ``ok``, or the other way round; element by element."""
    return is_ok != np.isfinite(score)
