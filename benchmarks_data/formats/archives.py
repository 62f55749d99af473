"""Members of ``.zip`` and ``.tar`` archives, read without ever unpacking to disk.

An archive is looked through when it is opened, and refused if any member could be dangerous: a path that climbs out,
a link, a device, more bytes than the limits allow, or than an archive of this size holds. Members are then read as
streams, and what comes out of the decompressor is counted again, since an archive may declare less than it holds.
"""

from __future__ import annotations

import io
import os
import posixpath
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import BinaryIO

from ...core.errors import DataError
from ...core.plain_text import printable, shortened
from .archive_streams import (
    MAX_MEMBERS,
    MAX_READ,
    SPECIAL,
    MemberStream,
    TarSource,
    as_binary,
    expected_bytes,
    open_zip,
    problem_of_zipped,
    refusing_damage,
)

GIBIBYTE = 1 << 30
MAX_MEMBER_BYTES = 8 * GIBIBYTE
MAX_TOTAL_BYTES = 16 * GIBIBYTE
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_MAX_ATTRIBUTES = 100  # git writes one, the commit
_MAX_SHOWN = 200


class Archive:
    """Regular files of an archive.

    Attributes:
        path: The archive.
        sizes: Declared size in bytes of each member by its name, in the order of the archive.
    """

    def __init__(self, path: Path, sizes: dict[str, int], open_member: Callable[[str], BinaryIO]) -> None:
        self.path = path
        self.sizes = MappingProxyType(sizes)
        self._open_member = open_member

    def open(self, name: str) -> BinaryIO:
        """Return a stream of a member's bytes, which refuses damaged data while it is read.

        Raises:
            DataError: There is no such member, or its data are damaged.
        """
        if name not in self.sizes:
            raise DataError(f"'{self.path.name}' has no member '{name}': get the archive again from its official home.")
        with refusing_damage(self.path, f"member '{name}'"):
            stream = self._open_member(name)
        return io.BufferedReader(MemberStream(stream, self.path, name, self.sizes[name]), MAX_READ)

    def read(self, name: str) -> bytes:
        """Return all bytes of a member.

        Raises:
            DataError: There is no such member, or its data are damaged.
        """
        with self.open(name) as stream:
            return stream.read()

    def find(self, name: str) -> str | None:
        """Return the member that has this file name in whatever folder, None if none or several have it."""
        found = [member for member in self.sizes if posixpath.basename(member) == name]
        return found[0] if len(found) == 1 else None


def is_archive(path: Path) -> bool:
    """Return whether the name of a file says that it is an archive."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


@contextmanager
def open_archive(
    path: Path, *, max_member_bytes: int = MAX_MEMBER_BYTES, max_total_bytes: int = MAX_TOTAL_BYTES
) -> Iterator[Archive]:
    """Open a ``.zip`` or ``.tar`` (also compressed) for the ``with`` block.

    Args:
        path: The archive.
        max_member_bytes: Largest unpacked size of a member that is accepted.
        max_total_bytes: Largest unpacked size of all members together that is accepted.

    Raises:
        DataError: It is not an archive, is damaged, or has a member that is not safe to read.
    """
    with refusing_damage(path, "its start"):
        file = path.open("rb")
    with file:
        expected = expected_bytes(os.fstat(file.fileno()).st_size)
        limits = (min(max_member_bytes, expected), min(max_total_bytes, expected))
        with refusing_damage(path, "its start"):
            is_zip = zipfile.is_zipfile(file)
            file.seek(0)
        with _open_zip(path, file, limits) if is_zip else _open_tar(path, file, limits) as archive:
            yield archive


@contextmanager
def _open_zip(path: Path, file: BinaryIO, limits: tuple[int, int]) -> Iterator[Archive]:
    with ExitStack() as stack:
        with refusing_damage(path, "its list of members"):
            container = stack.enter_context(open_zip(path, file))
        members: dict[str, zipfile.ZipInfo] = {}
        check = _MemberCheck(path, limits)
        for member in container.infolist():
            if not member.filename.endswith("/"):
                check.accept(member.filename, member.file_size, problem_of_zipped(member))
                members[member.filename] = member
        yield Archive(path, check.sizes, lambda name: as_binary(container.open(members[name])))


@contextmanager
def _open_tar(path: Path, file: BinaryIO, limits: tuple[int, int]) -> Iterator[Archive]:
    with refusing_damage(path, "its start"):
        source = TarSource(path, file)
        container = tarfile.open(fileobj=as_binary(source), mode="r:")  # noqa: SIM115
    with container:
        members: dict[str, tarfile.TarInfo] = {}
        check = _MemberCheck(path, limits)
        with refusing_damage(path, "its list of members"):
            for number, member in enumerate(container):
                source.next_member()
                _check_headers(path, number, container, member)
                if not member.isdir():
                    check.accept(member.name, member.size, _problem_of_tarred(member))
                    members[member.name] = member
        source.is_listed = True
        yield Archive(path, check.sizes, lambda name: as_binary(container.extractfile(members[name])))


def _problem_of_tarred(member: tarfile.TarInfo) -> str:
    """Say why a member is not read, empty if it is."""
    if not member.isreg() or member.issparse():
        return SPECIAL
    return "has a negative size" if member.size < 0 else ""


def _check_headers(path: Path, number: int, container: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Check what members have beside their contents, and let go of what is not needed. Raises DataError."""
    if number >= MAX_MEMBERS:
        raise DataError(f"'{path.name}' has more than {MAX_MEMBERS:,} members, which is as many as are read.")
    # Each member gets a copy of the attributes that the archive has for all.
    if len(container.pax_headers) > _MAX_ATTRIBUTES:
        raise DataError(f"'{path.name}' has {len(container.pax_headers):,} attributes for all of its members.")
    member.pax_headers = {}


class _MemberCheck:
    """Accepts members one by one, before anything of them is unpacked."""

    def __init__(self, path: Path, limits: tuple[int, int]) -> None:
        self._archive = path.name
        self._max_member_bytes, self._max_total_bytes = limits
        self._total = 0
        self.sizes: dict[str, int] = {}

    def accept(self, name: str, size: int, problem: str) -> None:
        problem = problem or self._problem(name, size)
        if problem:
            shown = printable(shortened(name, _MAX_SHOWN))
            raise DataError(f"'{self._archive}': member '{shown}' {problem}. Nothing of the archive was unpacked.")
        self._total += size
        self.sizes[name] = size

    def _problem(self, name: str, size: int) -> str:
        if climbs_out(name):
            return "has a path that leads out of the archive; unpack it yourself if you trust it"
        if name in self.sizes:
            return "is there twice"
        if size > self._max_member_bytes:
            return f"would unpack to {size:,} bytes; at most {self._max_member_bytes:,} are accepted"
        if self._total + size > self._max_total_bytes:
            return f"and those before it would unpack to more than {self._max_total_bytes:,} bytes"
        return ""


def climbs_out(name: str) -> bool:
    """Return whether a member's name would not stay below the folder it is unpacked to, on any system."""
    return (
        not name
        or "\0" in name
        or ".." in PurePosixPath(name.replace("\\", "/")).parts
        or PurePosixPath(name).is_absolute()
        or PureWindowsPath(name).anchor != ""
    )
