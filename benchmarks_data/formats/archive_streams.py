"""Streams that keep what an archive can do to the reader within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...core.errors import DataError

# The longest read that tarfile itself needs is a name in an extension header; members are read in smaller pieces.
MAX_READ = 1 << 20

_DAMAGES = (
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class MemberStream(io.RawIOBase):
    """A member's bytes; damage is refused with the member's name, and so are more bytes than it declares."""

    def __init__(self, stream: BinaryIO, path: Path, name: str, size: int) -> None:
        self._stream = stream
        self._path = path
        self.name = f"{path.name}:{name}"
        self._left = size

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into ``target``, at most :data:`MAX_READ` bytes; return how many."""
        with refusing_damage(self._path, f"member '{self.name.partition(':')[2]}'"):
            piece = self._stream.read(min(len(target), MAX_READ))
            self._left -= len(piece)
            if self._left < 0 or (not piece and len(target) and self._left > 0):
                raise EOFError("its length differs from what the archive declares")
        target[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close the member too."""
        self._stream.close()
        super().close()


class TarSource(io.RawIOBase):
    """What tarfile reads from: decompressed, and in pieces small enough that no header can ask for much memory."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        magic = file.read(6)
        file.seek(0)
        self._stream = _decompressor(magic, file)

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` decompressed bytes; refuse to read many at once."""
        if not 0 <= size <= MAX_READ:
            raise DataError(f"'{self._path.name}' has a header of {size:,} bytes. It is damaged or made to do harm.")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset of the decompressed bytes."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset in the decompressed bytes."""
        return self._stream.tell()


def _decompressor(magic: bytes, file: BinaryIO) -> BinaryIO:
    if magic.startswith(b"\x1f\x8b"):
        return as_binary(gzip.GzipFile(fileobj=file))
    if magic.startswith(b"BZh"):
        return as_binary(bz2.BZ2File(file))
    if magic.startswith(b"\xfd7zXZ\x00"):
        return as_binary(lzma.LZMAFile(file))
    return file


def as_binary(stream: object) -> BinaryIO:
    """Return what the standard library types as less than the binary stream it is."""
    assert stream is not None
    return stream  # type: ignore[return-value]


@contextmanager
def refusing_damage(path: Path, part: str) -> Iterator[None]:
    """Turn whatever damaged data make the standard library raise into a ``DataError`` that names ``part``."""
    try:
        yield
    except _DAMAGES as error:
        raise DataError(
            f"Cannot read '{path.name}', {part}: {error or type(error).__name__}. The archive is damaged or of another "
            "kind (.zip and .tar, .tar.gz, .tar.bz2, .tar.xz are read): get it again from its official home."
        ) from error
