"""The contract of data sources."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from ..errors import DataError
from ..interfaces import DataSource, ImportSummary
from ..plugin_manager import installed_plugins


class DataSourceContract:
    """What a data source promises.

    Attributes:
        data_source: Name of the data source.
        path: A small file or directory that it takes; or override ``make_files`` and write one.
    """

    data_source: ClassVar[str]
    path: ClassVar[Path]

    def make_source(self) -> DataSource:
        """Return the data source."""
        return installed_plugins().data_source(self.data_source).info.create()

    def make_files(self, folder: Path) -> Path:
        """Return a small file or directory to import; ``folder`` is an empty directory for what has to be written."""
        return self.path

    @contextmanager
    def imported(self) -> Iterator[tuple[ImportSummary, Path, list[tuple[int, int]]]]:
        """Import the files; give the summary, the folder that holds what was stored, and what progress was told."""
        told: list[tuple[int, int]] = []
        with tempfile.TemporaryDirectory() as given, tempfile.TemporaryDirectory() as stored:
            path = self.make_files(Path(given))
            summary = self.make_source().import_from(path, Path(stored), lambda done, total: told.append((done, total)))
            yield summary, Path(stored), told

    def test_import_says_and_stores_what_it_read(self) -> None:
        """There is something, its unit has a name, and it lies in files directly in the folder."""
        with self.imported() as (summary, folder, _):
            assert summary.items > 0
            assert summary.unit.strip()
            stored = list(folder.iterdir())
            assert stored
            assert all(path.is_file() for path in stored)

    def test_progress_never_goes_back(self) -> None:
        """What is done grows, up to what there is in all."""
        with self.imported() as (_, _, told):
            assert all(0 <= done <= total for done, total in told)
            shares = [done / total for done, total in told if total]
            assert shares == sorted(shares)

    def test_import_leaves_the_files_as_they_are(self) -> None:
        """Users' files are only read."""
        with tempfile.TemporaryDirectory() as given, tempfile.TemporaryDirectory() as stored:
            path = self.make_files(Path(given))
            before = _contents(path)
            self.make_source().import_from(path, Path(stored), lambda done, total: None)
            assert _contents(path) == before

    def test_verify_finds_what_was_imported(self) -> None:
        """Another instance reads as many things of the same kind."""
        with self.imported() as (summary, folder, _):
            found = self.make_source().verify(folder, lambda done, total: None)
            assert (found.items, found.unit) == (summary.items, summary.unit)

    def test_verify_refuses_damaged_files(self) -> None:
        """A stored file that was emptied is a DataError."""
        with self.imported() as (_, folder, _):
            for path in sorted(folder.iterdir()):
                content = path.read_bytes()
                path.write_bytes(b"")
                with _refused(f"'{path.name}', emptied,", naming=str(folder)):
                    self.make_source().verify(folder, lambda done, total: None)
                path.write_bytes(content)

    def test_import_refuses_other_files(self) -> None:
        """An empty file, one of something else, and an empty directory are a DataError that names them."""
        with tempfile.TemporaryDirectory() as given, tempfile.TemporaryDirectory() as stored:
            others = [Path(given) / name for name in ("empty.bin", "other.bin", "folder")]
            others[0].write_bytes(b"")
            others[1].write_bytes(bytes(range(256)) * 4)
            others[2].mkdir()
            for path in others:
                with _refused(f"'{path.name}'", naming=path.name):
                    self.make_source().import_from(path, Path(stored), lambda done, total: None)


@contextmanager
def _refused(what: str, naming: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        assert naming in str(error)
    else:
        raise AssertionError(f"{what} was not refused")


def _contents(path: Path) -> dict[Path, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file: file.read_bytes() for file in files}
