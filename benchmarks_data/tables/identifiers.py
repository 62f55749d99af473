"""What the other files of a benchmark call its architectures: stored beside a table, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ...core.errors import DataError

IDENTIFIERS_NAME = "identifiers.json"

# NAS-Bench-NLP's, the only ones that are kept, take some ten.
_MAX_BYTES = 2**26


def write_identifiers(path: Path, arch_ids: Mapping[str, str]) -> None:
    """Write the canonical string of each identifier."""
    path.write_text(json.dumps(arch_ids), encoding="utf-8")


def read_identifiers(path: Path) -> dict[str, str]:
    """Return the canonical string of each identifier.

    Raises:
        DataError: The file is damaged.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("it is too large")
        arch_ids = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(arch_ids, dict) or not all(isinstance(arch_id, str) for arch_id in arch_ids.values()):
            raise ValueError("it is no JSON object of texts")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"'{path}' is damaged: {error}. Import the table again.") from error
    return arch_ids
