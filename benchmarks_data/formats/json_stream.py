"""The elements of a JSON list, one after the other: what a file holds may be far larger than memory."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import DataError
from ...core.interfaces import Progress
from .measured_file import open_measured

_CHUNK_BYTES = 1 << 18
_MAX_ELEMENT_CHARACTERS = 1 << 22
_MAX_BYTES = 1 << 32  # a small file can claim to unpack to any size

_DECODER = json.JSONDecoder()

_BEGUN = re.compile(r"[\w.+\\-]*\s*")
"""What of a word, a number or an escaped character can stand at the end of a text that is cut short."""


class CutShortError(ValueError):
    """The text ends where something must follow."""


@contextmanager
def open_json(path: Path, progress: Progress) -> Iterator[JsonStream]:
    """Open a file, which may be gzipped, for the ``with`` block.

    Raises:
        DataError: It cannot be opened, or its bytes are damaged.
    """
    with open_measured(path, progress) as file:
        unpacked = gzip.GzipFile(fileobj=file) if path.name.lower().endswith(".gz") else file
        try:
            yield JsonStream(unpacked)
        except (OSError, zlib.error, UnicodeDecodeError) as error:
            raise DataError(f"'{path}' is damaged ({error}). Get the file again.") from error


class JsonStream:
    """Reads a JSON text value by value."""

    def __init__(self, file: io.BufferedReader[Any] | gzip.GzipFile) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._position = 0
        self._dropped = 0
        self._bytes = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is no white space, empty at the end."""
        while True:
            while self._position < len(self._text):
                character = self._text[self._position]
                if character not in " \t\n\r":
                    return character
                self._position += 1
            if not self._fill():
                return ""

    def take(self, expected: str) -> None:
        """Step over a character.

        Raises:
            CutShortError: The text ends.
            ValueError: Another one is there.
        """
        character = self.peek()
        if not character:
            raise CutShortError("it is cut short")
        if character != expected:
            raise ValueError(f"'{character}' stands where '{expected}' is expected")
        self._position += 1

    def value(self) -> Any:
        """Return the next value. ``NaN`` and ``Infinity`` are read as Python's ``json`` writes them.

        Raises:
            CutShortError: The text ends within it.
            ValueError: It is no JSON, or too large.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._position)
            except RecursionError:
                raise ValueError("it is nested too deeply") from None
            except ValueError as error:
                if not isinstance(error, json.JSONDecodeError):
                    raise ValueError("it has a number of thousands of digits") from error
                what = f"{error.msg} at character {self._dropped + error.pos + 1:,}"
                if len(self._text) - self._position > _MAX_ELEMENT_CHARACTERS:
                    raise ValueError(f"it is no JSON, or larger than any record ({what})") from error
                if not self._fill():
                    problem = CutShortError("it is cut short") if self._ends_within(error) else ValueError(what)
                    raise problem from error
                continue
            # A number may go on in the next chunk.
            if end < len(self._text) or not self._fill():
                self._position = end
                return value

    def elements(self) -> Iterator[Any]:
        """Yield the elements of the list that comes next.

        Raises:
            ValueError: As :meth:`take` and :meth:`value`.
        """
        self.take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self.take(",")
                yield self.value()
        self.take("]")

    def end(self) -> None:
        """Expect the end. Raises ValueError if something follows."""
        if self.peek():
            raise ValueError(f"'{self.peek()}' follows where it should end")

    def _ends_within(self, error: json.JSONDecodeError) -> bool:
        """Return whether the end of the text is what is wrong: within a string, a word or a number, or before one."""
        return error.msg.startswith("Unterminated") or _BEGUN.fullmatch(self._text, error.pos) is not None

    def _fill(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        chunk = self._read()
        self._bytes += len(chunk)
        if self._bytes > _MAX_BYTES:
            raise ValueError(f"it has more than {_MAX_BYTES:,} bytes")
        self._ended = not chunk
        self._dropped += self._position
        self._text = self._text[self._position :] + self._decode(chunk, final=self._ended)
        self._position = 0
        return True

    def _read(self) -> bytes:
        """Return the next bytes, a whole chunk but at the end: what is read in smaller parts is parsed more often."""
        parts: list[bytes] = []
        missing = _CHUNK_BYTES
        try:
            # Other than ``read``, it does not lose what was unpacked before the file ends.
            while missing and (part := self._file.read1(missing)):
                parts.append(part)
                missing -= len(part)
        except EOFError as error:
            if not parts:
                raise CutShortError("it is cut short, as the compressed file is") from error
        return b"".join(parts)
