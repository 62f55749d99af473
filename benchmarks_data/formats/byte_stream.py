"""Bytes of a file in the order they come, with a window over what comes next."""

from __future__ import annotations

import io
import re
from typing import Protocol

from ...core.errors import DataError

CHUNK_BYTES = 1 << 20
WINDOW_BYTES = 1 << 16

# What a compressed file may unpack to: a kilobyte could keep its reader busy for hours. Those of NATS-Bench unpack to
# 4 times their size, the list of its architectures to 39 times.
UNPACKED_FLOOR_BYTES = 1 << 25
UNPACKED_RATIO = 100

_MAX_LINE_BYTES = 1 << 20


class Readable(Protocol):
    """What a stream is read from: a file, or a decompressor."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        ...


class ByteStream:
    """A file read forwards; every shortage becomes a ``DataError`` with the file's name and the place.

    Attributes:
        size: Bytes in all, None if that is not known.
        name: Name of the file for messages.
    """

    def __init__(self, file: Readable, *, size: int | None, name: str | None, packed_bytes: int | None = None) -> None:
        """Start at the file's present position.

        Args:
            file: Open file.
            size: Bytes from here to its end, None if that is not known, as for a compressed file.
            name: Name for messages, by default the file's own.
            packed_bytes: Size of the compressed file that it comes from, None if it comes from none.
        """
        self._file = file
        self._start = 0
        self._data = b""
        self._at = 0
        self.size = size if size is not None else _bytes_left(file)
        self._most = None if packed_bytes is None else max(UNPACKED_FLOOR_BYTES, UNPACKED_RATIO * packed_bytes)
        self.name = str(name or getattr(file, "name", "the file")).rpartition("/")[2]

    @property
    def offset(self) -> int:
        """Bytes taken so far."""
        return self._start + self._at

    def refusal(self, problem: str) -> DataError:
        """Return the error to raise for something wrong at this place."""
        return DataError(
            f"Cannot read '{self.name}', byte {self.offset:,}: {problem}. Nothing in the file was run; get it again "
            "from its official home."
        )

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            DataError: There are fewer, or ``count`` is negative.
        """
        end = self._at + count
        if self._at <= end <= len(self._data):
            taken = self._data[self._at : end]
            self._at = end
            return taken
        return self._take_over_the_edge(count)

    def check_left(self, count: int) -> None:
        """Check that ``count`` bytes can be left.

        Raises:
            DataError: There are fewer, as far as that is known, or ``count`` is negative.
        """
        if count < 0 or (self.size is not None and count > self.size - self.offset):
            raise self.refusal(f"it ends within an item of {count:,} bytes, or is no such file at all")

    def take_byte(self) -> int:
        """Return the next byte."""
        at = self._at
        if at < len(self._data):
            self._at = at + 1
            return self._data[at]
        return self._take_over_the_edge(1)[0]

    def take_line(self) -> bytes:
        """Return the bytes up to the next line end, which is taken too."""
        end = self._data.find(b"\n", self._at)
        while end < 0:
            searched = len(self._data) - self._at
            if searched > _MAX_LINE_BYTES or not self._read_on():
                raise self.refusal("a line of text without an end")
            end = self._data.find(b"\n", self._at + searched)
        line = self._data[self._at : end]
        self._at = end + 1
        return line

    def peek(self) -> int:
        """Return the next byte without taking it, -1 at the end; the window then lies ahead, or all there is."""
        while len(self._data) - self._at < WINDOW_BYTES and self._read_on():
            pass
        return self._data[self._at] if self._at < len(self._data) else -1

    def ahead(self, count: int) -> bytes:
        """Return the next ``count`` bytes, or fewer, without taking them; ``peek`` first."""
        return self._data[self._at : self._at + count]

    def ahead_match(self, pattern: re.Pattern[bytes]) -> bytes:
        """Return the bytes from here that a pattern matches, without taking them; ``peek`` first."""
        match = pattern.match(self._data, self._at)
        return match.group() if match else b""

    def _read_on(self) -> bool:
        """Read one more chunk, forgetting what was taken; return whether there was one."""
        chunk = self._read(CHUNK_BYTES)
        self._start += self._at
        self._data = self._data[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _read(self, count: int) -> bytes:
        if self._most is not None and self.offset > self._most:
            raise self.refusal(f"it unpacks to more than {self._most:,} bytes, which no such file of its size does")
        try:
            return self._file.read(count)
        except (OSError, EOFError) as error:
            raise self.refusal(f"it is damaged or not whole ({error})") from error

    def _take_over_the_edge(self, count: int) -> bytes:
        self.check_left(count)
        pieces = [self._data[self._at :]]
        missing = count - len(pieces[0])
        while missing > 0:
            piece = self._read(min(missing, CHUNK_BYTES))
            if not piece:
                raise self.refusal("it ends too early: it was not downloaded or copied whole")
            pieces.append(piece)
            missing -= len(piece)
        self._start += self._at + count
        self._data = b""
        self._at = 0
        return b"".join(pieces)


def _bytes_left(file: Readable) -> int | None:
    """Return the bytes to the end of a plain file, None where finding out would mean unpacking it."""
    if not isinstance(file, io.BufferedReader | io.BytesIO) or not file.seekable():
        return None
    if isinstance(file, io.BufferedReader) and not isinstance(file.raw, io.FileIO):
        return None
    here = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(here)
    return end - here
