"""Finds official files by their names: in a folder, in an archive, or as the one file that a user has."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..core.errors import DataError
from .formats.archives import Archive, is_archive, open_archive

MAX_ARCHIVE_BYTES = 4 * 2**30
"""Unpacked; four times what the largest official archive holds, the training images of ImageNet16. Ours."""


@dataclass(frozen=True)
class NamedFile:
    """A file that was found.

    Attributes:
        location: Where, for messages.
        size: Bytes, as the file system or the archive says.
        open: Returns a new stream of its bytes.
    """

    location: str
    size: int
    open: Callable[[], BinaryIO]

    def read(self, limit: int) -> bytes:
        """Return its contents.

        Raises:
            DataError: It has more than ``limit`` bytes, or cannot be read.
        """
        try:
            with self.open() as stream:
                contents = stream.read(limit + 1) if self.size <= limit else b""
        except OSError as error:
            raise DataError(f"Cannot read '{self.location}': {error.strerror}.") from error
        if max(self.size, len(contents)) > limit:
            raise DataError(
                f"'{self.location}' has {max(self.size, len(contents)):,} bytes, no official file has more than "
                f"{limit:,}. Name the official files."
            )
        return contents


@contextmanager
def open_named_files(path: Path, names: Collection[str]) -> Iterator[dict[str, NamedFile]]:
    """Find files by name; they can be read during the ``with`` block.

    Args:
        path: A folder, in which and one level below which is searched; an archive; or one of the files.
        names: Names without folders.

    Returns:
        The files that there are, by name; none if ``path`` is something else.

    Raises:
        DataError: There are two files of one name, the archive is damaged or dangerous.
    """
    if path.is_dir():
        yield _find_in_folder(path, names)
    elif path.name in names:
        yield {path.name: _file_on_disk(path)}
    elif is_archive(path):
        with open_archive(path, max_total_bytes=MAX_ARCHIVE_BYTES) as archive:
            yield _find_in_archive(archive, names)
    else:
        yield {}


def _find_in_folder(folder: Path, names: Collection[str]) -> dict[str, NamedFile]:
    try:
        subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError as error:
        raise DataError(f"Cannot read the folder '{folder}': {error.strerror}.") from error
    found: dict[str, NamedFile] = {}
    for name in names:
        places = [place / name for place in (folder, *subfolders) if (place / name).is_file()]
        _refuse_two(folder, name, [str(place) for place in places])
        if places:
            found[name] = _file_on_disk(places[0])
    return found


def _find_in_archive(archive: Archive, names: Collection[str]) -> dict[str, NamedFile]:
    found: dict[str, NamedFile] = {}
    for name in names:
        members = [member for member in archive.sizes if posixpath.basename(member) == name]
        _refuse_two(archive.path, name, members)
        if members:
            found[name] = _member(archive, members[0])
    return found


def _member(archive: Archive, name: str) -> NamedFile:
    return NamedFile(f"{archive.path.name}:{name}", archive.sizes[name], lambda: archive.open(name))


def _file_on_disk(path: Path) -> NamedFile:
    return NamedFile(str(path), path.stat().st_size, lambda: path.open("rb"))


def _refuse_two(path: Path, name: str, places: list[str]) -> None:
    if len(places) > 1:
        raise DataError(
            f"'{path}' has two files named {name}: '{places[0]}' and '{places[1]}'. Name the folder that one is in."
        )
