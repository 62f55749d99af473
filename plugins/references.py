"""BibTeX entries of what the built-in plugins come from."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def references(*keys: str) -> tuple[str, ...]:
    """Return entries of ``references.bib`` by their keys.

    Raises:
        KeyError: There is no such entry.
    """
    return tuple(_entries()[key] for key in keys)


@cache
def _entries() -> dict[str, str]:
    text = (files(__package__) / "references.bib").read_text(encoding="utf-8")
    _, *entries = text.split("\n@")
    return {entry.partition("{")[2].partition(",")[0]: f"@{entry.strip()}" for entry in entries}
