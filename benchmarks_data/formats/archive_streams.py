"""Streams that keep what an archive can do to the reader within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...core.errors import DataError
from .xz_stream import XzStream

MAX_READ = 1 << 20
"""Bytes of a member that are read at once."""

MAX_MEMBERS = 100_000
"""Of an archive, folders too. NAS-Bench-NLP has 45,000; ours, for archives of 200 MB in memory."""

# What tarfile needs for a member: 512 bytes, and as many again for a long name or for extended attributes.
MAX_HEADER_BYTES = 1 << 17

# The list of members at the end of a zip archive, of which each takes 46 bytes, its name and a few more.
MAX_DIRECTORY_BYTES = 1 << 24
_DIRECTORY_ENTRY = b"PK\x01\x02"

# What an archive of any size may unpack to, and how many times its size; texts pack to a tenth, images hardly.
FLOOR_BYTES = 1 << 29
MAX_RATIO = 100

SPECIAL = "is a link, a device or a sparse file; only regular files are read"

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


class Source(io.RawIOBase, ABC):
    """A file that the standard library reads the list of members from, and then members.

    Attributes:
        is_listed: Whether the list has been read; before that, reads are bounded by what lists are like.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.is_listed = False
        self._path = path
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, or :data:`MAX_READ` if it is negative; refuse lists that are too long."""
        size = MAX_READ if size < 0 else size
        if not self.is_listed:
            self._check_size(size)
        content = self._stream.read(size)
        if not self.is_listed:
            self._check_content(content)
        return content

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset of the bytes."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset in the bytes."""
        return self._stream.tell()

    @abstractmethod
    def _check_size(self, size: int) -> None: ...

    def _check_content(self, content: bytes) -> None:
        pass

    def _refusal(self, problem: str) -> DataError:
        return DataError(f"'{self._path.name}' has {problem}. It is damaged or made to do harm.")


class TarSource(Source):
    """What tarfile reads from: decompressed, and refusing to let the headers of one member ask for much memory."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        magic = file.read(6)
        file.seek(0)
        super().__init__(path, _decompressor(magic, file))
        self.next_member()

    def next_member(self) -> None:
        """Allow for the headers of one more member."""
        self._left = MAX_HEADER_BYTES

    def _check_size(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self._refusal(
                f"a header of {size if size > MAX_HEADER_BYTES else MAX_HEADER_BYTES - self._left:,} bytes"
            )


class ZipSource(Source):
    """What zipfile reads from, refusing lists of members that take much memory."""

    def _check_size(self, size: int) -> None:
        if size > MAX_DIRECTORY_BYTES:
            raise self._refusal(f"a list of members of {size:,} bytes")

    def _check_content(self, content: bytes) -> None:
        if (count := content.count(_DIRECTORY_ENTRY)) > MAX_MEMBERS:
            raise self._refusal(f"{count:,} members, more than the {MAX_MEMBERS:,} that are read")


@contextmanager
def open_zip(path: Path, file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose list of members takes little memory, for the ``with`` block.

    Raises:
        DataError: The list is too long.
        BadZipFile, and what else zipfile raises: It is damaged.
    """
    source = ZipSource(path, file)
    with zipfile.ZipFile(as_binary(source)) as container:
        source.is_listed = True
        yield container


def problem_of_zipped(member: zipfile.ZipInfo) -> str:
    """Say why a member of a zip archive is not read, as the end of a sentence; empty if it is."""
    if member.flag_bits & 1:
        return "is encrypted; unpack it and import the files"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return SPECIAL
    # zipfile unpacks whatever the others make of a piece at once.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed by method {member.compress_type}; only 'store' and 'deflate' are read"
    return ""


def expected_bytes(packed_bytes: int) -> int:
    """Return the most that a file of so many bytes is expected to unpack to."""
    return max(FLOOR_BYTES, MAX_RATIO * packed_bytes)


def _decompressor(magic: bytes, file: BinaryIO) -> BinaryIO:
    if magic.startswith(b"\x1f\x8b"):
        return as_binary(gzip.GzipFile(fileobj=file))
    if magic.startswith(b"BZh"):
        return as_binary(bz2.BZ2File(file))
    if magic.startswith(b"\xfd7zXZ\x00"):
        return io.BufferedReader(XzStream(file), MAX_READ)
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
