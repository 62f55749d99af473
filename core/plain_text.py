"""Texts that come from plugins, made fit for terminals and files: bounded, and without what would steer either."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Control characters, those that turn the direction of writing, separators of lines, and halves of characters.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
_UNPRINTABLE = re.compile(f"[{_CONTROLS}]")
_UNPRINTABLE_BUT_LINES = re.compile(f"(?![\n\t])[{_CONTROLS}]")
_UNPRINTABLE_OR_ESCAPE = re.compile(rf"[{_CONTROLS}\\]")

# Of a message or traceback that is too long, this share of what is kept is its beginning.
_SHARE_OF_BEGINNING = 0.75


def printable(text: str) -> str:
    r"""Return a text in one line whose control characters and halves of characters are escaped, as in ``\x1b``."""
    return _UNPRINTABLE.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Return a text as :func:`printable` does, but with its lines and tabulators."""
    return _UNPRINTABLE_BUT_LINES.sub(_escape, text)


def printable_texts(value: Any) -> Any:
    """Return what JSON can hold with all texts in it, names of fields too, as :func:`printable_lines` does."""
    if isinstance(value, str):
        return printable_lines(value)
    if isinstance(value, Mapping):
        return {printable_lines(str(key)): printable_texts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable_texts(item) for item in value]
    return value


def distinct_printable(name: str) -> str:
    r"""Return a name as :func:`printable` does, and ``\`` as ``\\``, so that different names stay different."""
    return _UNPRINTABLE_OR_ESCAPE.sub(_escape, name)


def shortened(text: str, limit: int) -> str:
    """Return a text of at most about ``limit`` characters: one that is longer lacks some in the middle, and says so."""
    if len(text) <= limit:
        return text
    head = int(limit * _SHARE_OF_BEGINNING)
    return f"{text[:head]} ... ({len(text) - limit:,} characters left out) ... {text[len(text) - (limit - head) :]}"


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return character.encode("unicode_escape").decode()
