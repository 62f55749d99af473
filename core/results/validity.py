"""The only place that says what a record must be, for one that comes from a journal and for columns of a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import Record, Status
from .records import STATUSES, Records


def check_record(record: Record) -> None:
    """Check one record. Raises ValueError if it contradicts itself."""
    if _contradicts(record.status is Status.OK, record.score):
        raise ValueError(f"status {record.status} and score {record.score}")


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
