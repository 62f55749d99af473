"""Documents for programs: CSV and JSON, in full precision, with nothing for what is not known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def render_csv(records: Sequence[Mapping[str, Any]], fields: Sequence[str] = ()) -> str:
    """Render one line a record below the names of all their keys, or below ``fields`` where there is none.

    A field is empty for None or NaN; a list of numbers or texts has commas between them, anything deeper is JSON.
    """
    import pandas as pd  # takes longer to import than all else that most commands do

    keys = list(dict.fromkeys(key for record in records for key in record)) or list(fields)
    if not keys:
        return ""
    lines = [{key: _as_field(value) for key, value in record.items()} for record in records]
    text: str = pd.DataFrame(lines, columns=keys, dtype=object).to_csv(index=False, lineterminator="\n")
    return text


def render_json(content: Any) -> str:
    """Render an object or a list; null stands for None and NaN."""
    return json.dumps(_plain(content), indent=2, allow_nan=False) + "\n"


def _as_field(value: Any) -> str | int | float | None:
    plain = _plain(value)
    if isinstance(plain, list) and not any(isinstance(item, list | dict) for item in plain):
        return ", ".join(map(str, plain))
    if isinstance(plain, list | dict):
        return json.dumps(plain)
    return plain if isinstance(plain, str | int | float | None) else str(plain)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
