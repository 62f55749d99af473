"""Reads lists of architectures: a results file's, a text's, a CSV's, or a JSON file's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..errors import InvalidArchitectureError, UsageError
from ..input_files import check_input, other_delimiter, read_text
from ..interfaces import SearchSpace
from .label_columns import ARCHITECTURE
from .labelled import MAX_FILE_BYTES, has_architecture_column, read_architecture_column

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

WANTED = "Give a results file, a text with one architecture a line, a CSV with a column 'architecture', or a JSON list."


def read_architectures(path: Path, space: SearchSpace) -> tuple[str, ...]:
    """Return the architectures of a file that :func:`read_spellings` reads.

    Isomorphic duplicates collapse to one; the order of first appearance is kept.

    Raises:
        UsageError: The file is missing, empty, too large, or none that lists architectures.
        InvalidArchitectureError: An entry is not an architecture of ``space``; the message says which.
    """
    arch_ids = [_canonicalize(space, text, path, place) for place, text in _placed_spellings(path)]
    return tuple(dict.fromkeys(arch_ids))


def read_spellings(path: Path) -> list[str]:
    """Return the architectures of a file as it spells them.

    Args:
        path: A results file, a text with one architecture a line (``#`` comments), a CSV with a column
            ``architecture``, or JSON where the name ends in ``.json``: a list of texts, numbers, lists of numbers or
            recipes, or an object whose keys are architectures.

    Raises:
        UsageError: The file is missing, empty, too large, or none that lists architectures.
    """
    return [text for _, text in _placed_spellings(path)]


def _placed_spellings(path: Path) -> list[tuple[str, str]]:
    """Return each architecture with its place in the file, in words."""
    check_input(path, WANTED)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UsageError(f"'{path}' has more than {MAX_FILE_BYTES:,} bytes: that is not a list of architectures.")
    placed = [(place, text) for place, text in _entries(path) if text]
    if not placed:
        raise UsageError(f"'{path}' lists no architecture. {WANTED}")
    return placed


def _entries(path: Path) -> list[tuple[str, str]]:
    with path.open("rb") as file:
        if file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
            return _placed("entry", _stored_architectures(path))
    if path.suffix.lower() == ".json":
        return _placed("entry", _json_entries(path))
    lines = _text_lines(path)
    first = lines[0].split("#", 1)[0] if lines else ""
    if has_architecture_column(first) or other_delimiter(first, ARCHITECTURE):
        return _placed("row", read_architecture_column(path))
    return _placed("line", [line.split("#", 1)[0].strip() for line in lines])


def _placed(noun: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{noun} {number}", text) for number, text in enumerate(texts, start=1)]


def _stored_architectures(path: Path) -> Sequence[str]:
    from ..results.store import read_results

    return read_results(path).arch_ids


def _text_lines(path: Path) -> Sequence[str]:
    try:
        return read_text(path).splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is not a text. {WANTED}") from None


def _json_entries(path: Path) -> Sequence[str]:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"'{path}' is no JSON file: {error}. {WANTED}") from None
    if not isinstance(content, list | dict):
        raise UsageError(f"'{path}' holds neither a list nor an object. {WANTED}")
    return [entry.strip() if isinstance(entry, str) else json.dumps(entry) for entry in content]


def _canonicalize(space: SearchSpace, text: str, path: Path, place: str) -> str:
    try:
        return space.canonicalize(text)
    except InvalidArchitectureError as error:
        raise InvalidArchitectureError(f"'{path}', {place}: {error}") from error
