"""Makes documents of records: rows that all have the same keys, or one record with tables in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .document import Column, Document, Facts, Grid

UNKNOWN = "-"
"""Stands for what is not known, where people read."""

CODE_COLUMNS = ("name", "evaluator", "architecture", "given", "strategy", "setting")
"""Columns that hold what users type."""

METRIC = "metric"
"""A column of keys of metrics, which are typed and short enough to stand on one line."""

_NAME_WIDTH = 24
"""A terminal breaks longer names only: those of architectures, and those with settings."""

_EXACT_BELOW = 10**15
"""Whole numbers below it are exact in double precision and shown in full: of a size every digit counts."""


def list_records(rows: Sequence[Mapping[str, Any]], fields: Sequence[str] = ()) -> Document:
    """Describe records that all have the same keys; ``fields`` are these keys where there may be no record."""
    grid = make_grid(rows) if rows else Grid([Column(name) for name in fields], [])
    return Document(blocks=(grid,), records=rows, content=rows, fields=fields)


def describe_record(record: Mapping[str, Any]) -> Document:
    """Describe one thing; values that are lists of records become tables under their name."""
    return Document(
        blocks=describe_blocks(record),
        records=[{"field": key, "value": value} for key, value in record.items()],
        content=record,
    )


def describe_blocks(record: Mapping[str, Any]) -> tuple[Grid | Facts, ...]:
    """Return the facts of a record, and its tables."""
    tables = {key: value for key, value in record.items() if is_list_of_records(value)}
    facts = {key: as_text(value) for key, value in record.items() if key not in tables}
    return (*([Facts(facts)] if facts else []), *(make_grid(rows, f"{title}:") for title, rows in tables.items()))


def make_grid(rows: Sequence[Mapping[str, Any]], title: str = "") -> Grid:
    """Lay out records that all have the same keys."""
    keys = list(rows[0]) if rows else []
    return Grid([_column(rows, key) for key in keys], [[as_text(row[key]) for key in keys] for row in rows], title)


def is_list_of_records(value: Any) -> bool:
    """Whether a value is a table of its own."""
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def as_text(value: Any) -> str:
    """Write a value for people."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < _EXACT_BELOW else f"{value:.6g}"
    if isinstance(value, list | tuple):
        return json.dumps(value) if is_list_of_records(value) else ", ".join(map(as_text, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={as_text(item)}" for key, item in value.items()) or "none"
    return str(value)


def _column(rows: Sequence[Mapping[str, Any]], key: str) -> Column:
    code = key in (*CODE_COLUMNS, METRIC)
    longest = max(len(as_text(row[key])) for row in rows)
    widest = longest if key == METRIC else min(longest, _NAME_WIDTH)
    return Column(key, right=_holds_numbers(rows, key), code=code, min_width=widest if code else 0)


def _holds_numbers(rows: Sequence[Mapping[str, Any]], key: str) -> bool:
    known = [row[key] for row in rows if row[key] is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
