"""The data directory: one folder for each imported benchmark table or data set, with a manifest that seals it.

An import works in a hidden folder beside the final one and is renamed when all of it is there, so the directory is
never left with half an import, whatever happens. What a killed import left is deleted by the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import DataError, DataHomeError, DataInUseError
from ..input_files import check_input
from ..interfaces import DataSource, ImportSummary, Progress
from ..regular_files import OpenElsewhereError, check_unlocked, open_regular
from .unfinished import put_in_place, working_folder

ENVIRONMENT_VARIABLE = "NASBENCH_DATA"
MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = "nasbench-data"
MANIFEST_VERSION = 1

# A manifest lists a handful of files; a larger one is not ours.
MAX_MANIFEST_BYTES = 1_000_000


@dataclass(frozen=True)
class StoredFile:
    """One file of an import: its name in the folder, size in bytes and SHA-256 in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an import stored.

    Attributes:
        name: Name of the data source.
        imported_from: Name of the user's file or directory.
        imported_at: Date and time in UTC, ISO 8601.
        items: How many things were stored.
        unit: What they are.
        notes: What the user was told.
        files: The stored files.
    """

    name: str
    imported_from: str
    imported_at: str
    items: int
    unit: str
    notes: tuple[str, ...]
    files: tuple[StoredFile, ...]

    @property
    def size_bytes(self) -> int:
        """Size of all stored files."""
        return sum(file.size_bytes for file in self.files)


def data_home() -> Path:
    """Return the data directory: ``NASBENCH_DATA`` or the platform's place for a user's data; it need not exist."""
    given = os.environ.get(ENVIRONMENT_VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("nasbench")


def stored_folder(name: str) -> Path | None:
    """Return the folder of an imported data source, None if it was not imported."""
    folder = data_home() / name
    return folder if (folder / MANIFEST_NAME).is_file() else None


def read_manifest(name: str) -> Manifest | None:
    """Return what is stored of a data source, None if it was not imported.

    Raises:
        DataError: The manifest is damaged or of a newer version.
    """
    folder = stored_folder(name)
    if folder is None:
        return None
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ValueError("it is too large")
        return _parse_manifest(name, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"'{path}' is damaged or of a newer version of nasbench: {error}. Import '{name}' again, or remove it with "
            f"'nasbench data remove {name}'."
        ) from error


def _parse_manifest(name: str, fields: dict[str, Any]) -> Manifest:
    if (fields["format"], fields["format_version"], fields["name"]) != (MANIFEST_FORMAT, MANIFEST_VERSION, name):
        raise ValueError(f"it is not a manifest of '{name}', version {MANIFEST_VERSION}")
    files = tuple(
        StoredFile(str(file["name"]), int(file["size_bytes"]), str(file["sha256"])) for file in fields["files"]
    )
    for file in files:
        if Path(file.name).name != file.name or file.name in ("", ".", ".."):
            raise ValueError(f"it names the file '{file.name}'")
    return Manifest(
        name=name,
        imported_from=str(fields["imported_from"]),
        imported_at=str(fields["imported_at"]),
        items=int(fields["items"]),
        unit=str(fields["unit"]),
        notes=tuple(map(str, fields["notes"])),
        files=files,
    )


def import_data(data_source: DataSource, path: Path, progress: Progress, *, skip_wrong: bool = False) -> Manifest:
    """Import a user's file or directory; what was imported before under the same name is replaced at the end.

    Args:
        data_source: What reads it.
        path: The file or directory.
        progress: To be told how far it is.
        skip_wrong: Whether to leave out records that are wrong, instead of refusing the file.

    Raises:
        DataError: ``path`` does not exist or is not what it should be; the data directory is as it was.
        DataHomeError: The data directory cannot be written.
    """
    check_input(path, data_source.info.accepts, folder=True, error=DataError)
    name = data_source.info.name
    with _importing(name) as folder:
        read = data_source.import_valid_from if skip_wrong else data_source.import_from
        summary = read(path, folder, progress)
        manifest = _write_manifest(name, path, folder, summary)
        put_in_place(folder, data_home() / name)
    return manifest


@contextmanager
def _importing(name: str) -> Iterator[Path]:
    """Make a folder to work in; what goes wrong with it, or with the data directory, is one kind of error."""
    home = data_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with working_folder(home, name) as folder:
            yield folder
    except OSError as error:
        if not os.access(home, os.W_OK):
            raise DataHomeError(
                f"Cannot write to the data directory '{home}': {error.strerror}. Name another one in the environment "
                f"variable {ENVIRONMENT_VARIABLE}."
            ) from error
        raise DataHomeError(f"Cannot import '{name}' into '{home}': {error}. What was there is as it was.") from error


def _write_manifest(name: str, path: Path, folder: Path, summary: ImportSummary) -> Manifest:
    files = tuple(
        StoredFile(file.name, file.stat().st_size, file_digest(file, "sha256")) for file in sorted(folder.iterdir())
    )
    manifest = Manifest(
        name=name,
        imported_from=path.absolute().name,
        imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        items=summary.items,
        unit=summary.unit,
        notes=summary.notes,
        files=files,
    )
    fields = {"format": MANIFEST_FORMAT, "format_version": MANIFEST_VERSION, **asdict(manifest)}
    (folder / MANIFEST_NAME).write_text(json.dumps(fields, indent=1), encoding="utf-8")
    return manifest


def verify_data(data_source: DataSource, progress: Progress) -> ImportSummary:
    """Check every stored byte of an import against its manifest, then what the bytes mean.

    Raises:
        DataInUseError: Another program has a file of it open for writing.
        DataError: It was not imported, or is damaged.
    """
    name = data_source.info.name
    manifest = read_manifest(name)
    if manifest is None:
        raise DataError(f"'{name}' was not imported. {how_to_get(name)}")
    folder = data_home() / name
    for file in manifest.files:
        path = folder / file.name
        if problem := _problem_of(path, file):
            raise DataError(f"'{path}' {problem} since it was imported. Import '{name}' again.")
    return data_source.verify(folder, progress)


def _problem_of(path: Path, file: StoredFile) -> str:
    """Say what happened to a stored file, empty if nothing did. Raises DataInUseError."""
    try:
        with os.fdopen(open_regular(path), "rb") as opened:
            check_unlocked(path, opened.fileno())
            return "" if file_digest(path, "sha256") == file.sha256 else "was changed"
    except OpenElsewhereError as error:
        raise DataInUseError(f"{error}. Close it there, or wait until it is done.") from error
    except OSError:
        return "was changed" if path.is_file() else "is missing"


def remove_data(name: str) -> int:
    """Delete an import and return how many bytes it had.

    Raises:
        DataError: It was not imported.
        DataHomeError: It cannot be deleted.
    """
    folder = data_home() / name
    if not folder.is_dir():
        raise DataError(f"'{name}' was not imported; there is nothing to remove.")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise DataHomeError(f"Cannot remove '{folder}': {error.strerror}.") from error
    return size


def how_to_get(name: str) -> str:
    """Say in one sentence how a data source becomes available."""
    return f"Run 'nasbench data list {name}' to see where it is to be had and how to import it."


def file_digest(path: Path, algorithm: str) -> str:
    """Return the digest of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
