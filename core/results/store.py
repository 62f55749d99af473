"""Reads and writes results files (HDF5) as a whole; ``docs/results-file.md`` describes them for other readers.

Files may come from anywhere: every field is checked, nothing in them is executed, and none is changed by reading.
A file may hold elements besides those of results: whoever adds them writes and reads them through the open file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py

from ..errors import ResultsFileError, ResultsWriteError, closest_matches
from ..hdf5.reading import read_hdf5
from ..hdf5.stored import StoredGroup
from ..hdf5.writing import image_of, new_file, write_attributes
from ..regular_files import OpenElsewhereError, SpecialFileError, check_regular
from .contents import Results
from .elements import architectures, environment, evaluators, ground_truth, plan
from .elements.encoding import UPGRADE, read_text, read_whole_number
from .journal import JournalContents, journal_path, read_journal
from .whole_files import write_whole

FORMAT = "nasbench-results"
FORMAT_VERSION = 1

# What the checks raise for a file that is not what it should be.
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError)

# The elements of results.
ELEMENTS = (plan.NAME, environment.NAME, architectures.NAME, ground_truth.NAME, evaluators.NAME)

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
    """What a results file holds; its formats and fields have been checked.

    Attributes:
        file: All of it, for elements that are no part of results.
        origin: Which work it is of.
        results: Its results, with those of the journal if its work is unfinished.
        journal: The journal, empty if there is none.
    """

    file: StoredGroup
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
def open_results(path: Path, *others: str) -> Iterator[OpenResults]:
    """Read a results file and give it to the block, in which a ValueError means that the file is damaged.

    Args:
        path: The file.
        others: Names of further elements to read.

    Raises:
        ResultsFileError: As :func:`read_results`.
    """
    try:
        check_regular(path)
        # The journal first: what a running job moves into the file meanwhile is then seen twice instead of never.
        journal = read_journal(journal_path(path))
        file = read_hdf5(path, (*ELEMENTS, *others))
        _check_format(path, file)
        stored = _read_elements(file)
        origin = Origin(read_text(file.attrs, "made_by"), read_text(file.attrs, "work_id"))
        yield OpenResults(file, origin, _with_journal(stored, journal, origin), journal)
    except FileNotFoundError as error:
        raise ResultsFileError(
            f"There is no file '{path}'. {_near(path)}Results files are made by 'nasbench run' and 'nasbench search'."
        ) from error
    except SpecialFileError as error:
        raise ResultsFileError(f"'{path}' is {error.kind}. Name a results file.") from error
    except PermissionError as error:
        raise ResultsFileError(f"'{path}' cannot be read: permission denied.") from error
    except OpenElsewhereError as error:
        raise ResultsFileError(f"{error}. Close it there, or wait until it is done.") from error
    except READ_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultsFileError(
            f"'{path}' is damaged or not a results file ({reason}). It was left as it is."
        ) from error


def _near(path: Path) -> str:
    """Name results files beside a missing one that may be meant: those of single seeds, or of similar names."""
    beside = sorted(other.name for other in path.parent.glob("*.h5"))
    of_seeds = [name for name in beside if name.startswith(f"{path.stem}-seed")]
    return closest_matches(of_seeds[0], of_seeds) if of_seeds else closest_matches(path.name, beside)


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
        ResultsWriteError: It cannot be written, or could not be read again; what was at ``path`` is as it was.
    """
    try:
        with new_file() as file:
            _write_elements(file, results, origin)
            yield file
            image = image_of(file)
    except ValueError as error:
        raise ResultsWriteError(f"A results file cannot hold these results: {error}.") from error
    write_whole(path, image)


def _write_elements(file: h5py.File, results: Results, origin: Origin) -> None:
    write_attributes(
        file,
        format=FORMAT,
        format_version=FORMAT_VERSION,
        plan_id=results.plan_id,
        made_by=origin.command,
        work_id=origin.work_id,
    )
    plan.write_plan(file, results.plan, results.aggregates)
    environment.write_environment(file, results.environment)
    architectures.write_architectures(file, results.arch_ids)
    ground_truth.write_ground_truth(file, results.ground_truth)
    evaluators.write_evaluators(file, results.evaluators)


def _read_elements(file: StoredGroup) -> Results:
    header, aggregates = plan.read_plan(file)
    arch_ids = architectures.read_architectures(file)
    results = Results(
        plan=header,
        arch_ids=arch_ids,
        ground_truth=ground_truth.read_ground_truth(file, len(arch_ids)),
        evaluators=evaluators.read_evaluators(file, len(arch_ids)),
        environment=environment.read_environment(file),
        aggregates=aggregates,
    )
    if results.plan_id != read_text(file.attrs, "plan_id"):
        raise ValueError("its plan and its hash differ")
    columns = [(evaluator, seed) for evaluator in results.headers for seed in header.seeds]
    if [(part.header, part.seed) for part in results.evaluators] != columns:
        raise ValueError("its evaluators are not those of its plan")
    return results


def _check_format(path: Path, file: StoredGroup) -> None:
    if file.attrs.get("format") != FORMAT:
        raise ResultsFileError(f"'{path}' is an HDF5 file, but not one that 'nasbench run' wrote.")
    version = read_whole_number(file.attrs, "format_version")
    if version > FORMAT_VERSION:
        raise ResultsFileError(
            f"'{path}' has layout version {version}, this nasbench reads up to {FORMAT_VERSION}. {UPGRADE}"
        )


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
