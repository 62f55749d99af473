"""A ``.xz`` file, decompressed within bounds: the standard library's own gives a file all memory that it asks for."""

from __future__ import annotations

import io
import lzma
from typing import BinaryIO

# The highest preset of xz takes 65 MiB.
MEMORY_BYTES = 1 << 28

_PIECE_BYTES = 1 << 16


class XzStream(io.RawIOBase):
    """Decompressed bytes of one or several streams, one after the other. Raises LZMAError where they are damaged."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rewind()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: going back means to begin anew."""
        return True

    def tell(self) -> int:
        """Return the offset in the decompressed bytes."""
        return self._at

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into ``target``; return how many bytes, 0 at the end only."""
        piece = self._next(len(target))
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset of the decompressed bytes, at most to their end."""
        if whence != io.SEEK_SET:
            offset += self._at  # what BufferedReader asks for beside it
        if offset < self._at:
            self._rewind()
        skipped = bytearray(_PIECE_BYTES)
        while self._at < offset and self.readinto(memoryview(skipped)[: offset - self._at]):
            pass
        return self._at

    def _rewind(self) -> None:
        self._file.seek(0)
        self._at = 0
        self._packed = b""
        self._decompressor = _new_decompressor()

    def _next(self, count: int) -> bytes:
        while count:
            if self._decompressor.eof:
                # Another stream may follow, after null bytes that fill up to a multiple of four.
                self._packed = (self._decompressor.unused_data or self._file.read(_PIECE_BYTES)).lstrip(b"\0")
                if not self._packed:
                    return b""
                self._decompressor = _new_decompressor()
            elif self._decompressor.needs_input and not self._packed:
                self._packed = self._file.read(_PIECE_BYTES)
                if not self._packed:
                    raise EOFError("it ends before the end of its compressed data")
            piece = self._decompressor.decompress(self._packed, count)
            self._packed = b""
            if piece:
                return piece
        return b""


def _new_decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES)
