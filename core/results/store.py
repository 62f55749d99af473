"""Reads and writes results files (HDF5) as a whole; ``docs/results-file.md`` describes them for other readers.

Files may come from anywhere: every field is checked, nothing in them is executed, and none is changed by reading.
A file may hold elements besides those of results: whoever adds them writes and reads them through the open file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..errors import ResultsFileError
from .contents import Results
from .elements.architectures import read_architectures, write_architectures
from .elements.encoding import UPGRADE, read_text, read_whole_number
from .elements.environment import read_environment, write_environment
from .elements.evaluators import read_evaluators, write_evaluators
from .elements.ground_truth import read_ground_truth, write_ground_truth
from .elements.plan import read_plan, write_plan
from .journal import JournalContents, journal_path, read_journal
from .whole_files import write_whole

FORMAT = "nasbench-results"
FORMAT_VERSION = 1

# HDF5 1.10's file format: the oldest that checksums its own structure, so that damage is noticed.
HDF5_VERSIONS = ("v110", "v110")

# What h5py and the checks raise for a file that is not what it should be.
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError)

DIGEST = "texts_digest"
RUN = "run"


@dataclass(frozen=True)
class Origin:
    """Which work a results file is of.

    Attributes:
        command: The command that made it, such as ``run``: only that command continues it.
        work_id: Hash of all that decides what is computed; the journal carries it too. For a run, its ``plan_id``.
    """

    command: str
    work_id: str

    @classmethod
    def of_run(cls, plan_id: str) -> Origin:
        """Return the origin of the file of a run, or of several that were merged."""
        return cls(RUN, plan_id)


@dataclass(frozen=True)
class OpenResults:
    """A results file that is open for reading and whose formats, checksums and fields have been checked.

    Attributes:
        file: The file, for elements that are no part of results.
        origin: Which work it is of.
        results: Its results, with those of the journal if its work is unfinished.
        journal: The journal, empty if there is none.
    """

    file: h5py.File
    origin: Origin
    results: Results
    journal: JournalContents


def read_results(path: Path) -> Results:
    """Read a results file, with what its journal adds if its work is unfinished.

    Raises:
        ResultsFileError: It is missing, a directory, damaged, not ours, or of a newer version. It is never changed.
    """
    with open_results(path) as opened:
        return opened.results


@contextmanager
def open_results(path: Path) -> Iterator[OpenResults]:
    """Open a results file, read its results, and close it when the block ends.

    What h5py raises in the block means that the file is damaged, and so does a ValueError.

    Raises:
        ResultsFileError: As :func:`read_results`.
    """
    _check_is_file(path)
    # The journal first: what a running job moves into the file meanwhile is then seen twice instead of never.
    journal = read_journal(journal_path(path))
    try:
        with h5py.File(path, "r") as file:
            _check_format(path, file)
            _check_digest(file)
            stored = _read_elements(file)
            origin = Origin(read_text(file.attrs, "made_by"), read_text(file.attrs, "work_id"))
            yield OpenResults(file, origin, _with_journal(stored, journal, origin), journal)
    except PermissionError as error:
        raise ResultsFileError(f"'{path}' cannot be read: permission denied.") from error
    except READ_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultsFileError(
            f"'{path}' is damaged or not a results file ({reason}). It was left as it is."
        ) from error


def write_results(path: Path, results: Results) -> None:
    """Write the results file of a run.

    Raises:
        ResultsWriteError: It cannot be written; what was at ``path`` is as it was.
    """
    with new_results_file(path, results, Origin.of_run(results.plan_id)):
        pass


@contextmanager
def new_results_file(path: Path, results: Results, origin: Origin) -> Iterator[h5py.File]:
    """Make a results file and give it to the block, which may add elements; then put it in the place of the old one.

    Raises:
        ResultsWriteError: It cannot be written; what was at ``path`` is as it was.
    """
    # Made in memory, because HDF5 crashes when a disk fills up under it.
    with h5py.File("image", "w", driver="core", backing_store=False, libver=HDF5_VERSIONS) as file:
        _write_elements(file, results, origin)
        yield file
        file.attrs[DIGEST] = texts_digest(file)
        file.flush()
        image: bytes = file.id.get_file_image()
    write_whole(path, image)


def _write_elements(file: h5py.File, results: Results, origin: Origin) -> None:
    file.attrs.update(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        plan_id=results.plan_id,
        made_by=origin.command,
        work_id=origin.work_id,
    )
    write_plan(file, results.plan, results.aggregates)
    write_environment(file, results.environment)
    write_architectures(file, results.arch_ids)
    write_ground_truth(file, results.ground_truth)
    write_evaluators(file, results.evaluators)


def _read_elements(file: h5py.File) -> Results:
    plan, aggregates = read_plan(file)
    arch_ids = read_architectures(file)
    results = Results(
        plan=plan,
        arch_ids=arch_ids,
        ground_truth=read_ground_truth(file, len(arch_ids)),
        evaluators=read_evaluators(file, len(arch_ids)),
        environment=read_environment(file),
        aggregates=aggregates,
    )
    if results.plan_id != read_text(file.attrs, "plan_id"):
        raise ValueError("its plan and its hash differ")
    return results


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise ResultsFileError(f"'{path}' is a directory. Name a results file.")
    if not path.exists():
        raise ResultsFileError(f"There is no file '{path}'. Make one with 'nasbench run --output {path}'.")
    if not path.is_file():
        raise ResultsFileError(f"'{path}' is a device or a pipe. Name a results file.")


def _check_format(path: Path, file: h5py.File) -> None:
    if file.attrs.get("format") != FORMAT:
        raise ResultsFileError(f"'{path}' is an HDF5 file, but not one that 'nasbench run' wrote.")
    version = read_whole_number(file.attrs, "format_version")
    if version > FORMAT_VERSION:
        raise ResultsFileError(
            f"'{path}' has layout version {version}, this nasbench reads up to {FORMAT_VERSION}. {UPGRADE}"
        )


def _check_digest(file: h5py.File) -> None:
    if read_text(file.attrs, DIGEST) != texts_digest(file):
        raise ValueError("its descriptions and their checksum differ")


def texts_digest(file: h5py.File) -> str:
    """Return the SHA-256 of all that the file says in attributes, which HDF5 gives no checksum of their own."""
    said = {"/": {name: _plain(name, value) for name, value in file.attrs.items() if name != DIGEST}}

    def take(path: str, element: h5py.Group | h5py.Dataset) -> None:
        said[f"/{path}"] = {name: _plain(name, value) for name, value in element.attrs.items()}

    file.visititems(take)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _plain(name: str, value: Any) -> str | int | float | bool:
    """Return the text or number in an attribute. Raises ValueError if it holds anything else."""
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, str | int | float):
        raise ValueError(f"'{name}' must be a text or a number, it is {type(plain).__name__}")
    return plain


def _with_journal(results: Results, journal: JournalContents, origin: Origin) -> Results:
    """Add what the journal has: records, and the architectures that have joined since."""
    journal.check_work(origin.work_id)
    known = set(results.arch_ids)
    # A kill may leave in the journal what is in the file already.
    new = [architecture for architecture in journal.architectures if architecture.arch_id not in known]
    if origin.command == RUN and (new or journal.others):
        raise ResultsFileError(f"'{journal.path}' has lines that no run writes. It was left as it is.")
    try:
        return results.with_architectures(new).with_records(journal.records)
    except (ValueError, IndexError) as error:
        raise ResultsFileError(f"'{journal.path}' does not fit the results file beside it: {error}.") from error
