"""Data sources that are tables of trained performance: read, checked against the search space, stored."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from ...core.errors import DataError, InvalidArchitectureError
from ...core.interfaces import DataSource, ImportSummary, Progress
from .checks import check_columns
from .earlier import add_earlier
from .identifiers import IDENTIFIERS_NAME, read_identifiers, write_identifiers
from .interchange import INTERCHANGE_SUFFIXES, read_interchange
from .merge import TableRows, merge_rows
from .raw import RawTable
from .store import TABLE_NAME, StoredTable
from .store_writer import write_table

Reader = Callable[[Path, Progress], RawTable]

DIRECTORY = "/"
"""Key of :attr:`TableSource.readers` for directories."""

PROBLEMS_SHOWN = 3

BLOCK_ROWS = 16_384
"""Rows whose canonical strings are computed at once: bounds memory, and how often progress is told."""


class TableSource(DataSource):
    """Reads a table of a search space, checks it and stores one row for each canonical architecture.

    Must implement ``canonicalize_many``; may extend ``readers`` and implement ``check_file``, ``prepare``,
    ``check_rows`` and ``earlier_table``.

    Attributes:
        readers: By end of the file's name, the longest that fits counts, or :data:`DIRECTORY`; this class brings
            the interchange form. Readers that need much should be imported when called.
        num_architectures: How many canonical architectures the search space has, None if it is not known.
        what_is_merged: Rows of one canonical architecture, in words.
        repeats_are_runs: Whether an architecture listed twice was trained twice; if not, rows must agree.
    """

    readers: ClassVar[Mapping[str, Reader]] = dict.fromkeys(INTERCHANGE_SUFFIXES, read_interchange)
    num_architectures: ClassVar[int | None] = None
    what_is_merged: ClassVar[str] = "isomorphic cells"
    repeats_are_runs: ClassVar[bool] = False

    @abstractmethod
    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical string of each architecture.

        Raises:
            InvalidArchitectureError: One is not an architecture of the space.
        """

    def check_file(self, path: Path) -> None:
        """Refuse a file before it is read.

        Raises:
            DataError: It is not for this source.
        """

    def prepare(self, raw: RawTable) -> RawTable:
        """Translate what is peculiar to the benchmark, such as a number that means *not measured*."""
        return raw

    def check_rows(self, path: Path, raw: RawTable, arch_ids: Sequence[str]) -> None:
        """Compare ``raw.checks`` with what the space computes.

        Args:
            path: The file, for messages.
            raw: The table as read.
            arch_ids: Canonical string of each row.

        Raises:
            DataError: A row does not fit; the message names it.
        """

    def earlier_table(self) -> StoredTable | None:
        """Return the table whose results on other data sets are kept, for benchmarks with a file for each.

        None, by default, lets a table replace the earlier one.
        """
        return None

    def import_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read a table, check every row and store it.

        Raises:
            DataError: The file or directory is not what it should be; the message names the row and the remedy.
        """
        return self._import(path, folder, progress, skip_wrong=False)

    def import_valid_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read a table and store it without the records that are wrong by themselves.

        These are architectures that are none of the space and, where the reader of the format tells them, records that
        lack something.

        Raises:
            DataError: The file or directory is not what it should be, or no record is left.
        """
        return self._import(path, folder, progress, skip_wrong=True)

    def _import(self, path: Path, folder: Path, progress: Progress, *, skip_wrong: bool) -> ImportSummary:
        reader = self._reader_of(path)
        self.check_file(path)
        # Reading and canonicalising each count for half of the progress, whatever their own units are.
        raw = self.prepare(reader(path, lambda done, total: progress(done, 2 * total)))
        if raw.problems and not skip_wrong:
            raise _first_problem(path, raw.problems, len(raw.architectures))
        # Architectures before values: a table of another search space should be refused as such.
        if skip_wrong:
            raw = self._known_rows(path, raw)
        arch_ids = self._canonical_strings(path, raw, progress)
        raw = check_columns(path, raw)
        self.check_rows(path, raw, arch_ids)
        rows = merge_rows(path, raw, arch_ids, self.what_is_merged, repeats_are_runs=self.repeats_are_runs)
        coverage = self._coverage(path, rows)
        rows = add_earlier(rows, self.earlier_table())
        notes = (*raw.notes, *_skipped(raw.problems), *rows.notes, *coverage)
        write_table(folder / TABLE_NAME, rows, data_source=self.info.name, imported_from=path.absolute().name)
        if raw.identifiers:
            write_identifiers(folder / IDENTIFIERS_NAME, dict(zip(raw.identifiers, arch_ids, strict=True)))
        return ImportSummary(len(rows.arch_ids), "architectures", notes)

    def verify(self, folder: Path, progress: Progress) -> ImportSummary:
        """Read all of a stored table and check it.

        Raises:
            DataError: It is damaged, or a table of something else.
        """
        path = folder / TABLE_NAME
        table = StoredTable.open(path)
        if table.data_source != self.info.name:
            raise DataError(
                f"'{path}' is a table of '{table.data_source}', expected '{self.info.name}'. Import "
                f"'{self.info.name}' again."
            )
        table.verify()
        if (folder / IDENTIFIERS_NAME).exists():
            read_identifiers(folder / IDENTIFIERS_NAME)
        return ImportSummary(len(table), "architectures")

    def _reader_of(self, path: Path) -> Reader:
        if path.is_dir():
            fitting = [suffix for suffix in self.readers if suffix == DIRECTORY]
        else:
            fitting = [suffix for suffix in self.readers if path.name.lower().endswith(suffix)]
        if fitting:
            return self.readers[max(fitting, key=len)]
        kinds = ["a directory" if suffix == DIRECTORY else f"'{suffix}'" for suffix in self.readers]
        raise DataError(
            f"'{path}' is {'a directory' if path.is_dir() else 'a file of an unknown kind'}; tables of "
            f"'{self.info.name}' end in {', '.join(kinds)}. {self.info.accepts}"
        )

    def _canonical_strings(self, path: Path, raw: RawTable, progress: Progress) -> list[str]:
        arch_ids: list[str] = []
        total = len(raw.architectures)
        for start in range(0, total, BLOCK_ROWS):
            block = raw.architectures[start : start + BLOCK_ROWS]
            try:
                arch_ids += self.canonicalize_many(block)
            except InvalidArchitectureError:
                self._name_bad_row(path, raw, start, block)
                raise
            progress(total + len(arch_ids), 2 * total)
        return arch_ids

    def _known_rows(self, path: Path, raw: RawTable) -> RawTable:
        """Leave out rows whose architecture is none of the space, each with a problem that names it."""
        known, problems = [], list(raw.problems)
        for row, text in enumerate(raw.architectures):
            try:
                self.canonicalize_many([text])
                known.append(row)
            except InvalidArchitectureError as error:
                problems.append(f"{raw.row_name(row)}: {str(error).rstrip('.')}")
        if not known:
            raise _first_problem(path, problems, 0)
        return replace(raw.keep(known), problems=tuple(problems))

    def _name_bad_row(self, path: Path, raw: RawTable, start: int, block: Sequence[str]) -> None:
        for row, text in enumerate(block, start):
            try:
                self.canonicalize_many([text])
            except InvalidArchitectureError as error:
                raise DataError(
                    f"'{path}', {raw.row_name(row)}: {str(error).rstrip('.')}. Correct the file, or check that it is a "
                    f"table of '{self.info.name}'; '--skip-wrong' leaves out such rows."
                ) from error

    def _coverage(self, path: Path, rows: TableRows) -> tuple[str, ...]:
        count = len(rows.arch_ids)
        if self.num_architectures is None or count == self.num_architectures:
            return ()
        return (f"'{path.name}' has {count:,} of the {self.num_architectures:,} architectures of the search space.",)


def _first_problem(path: Path, problems: Sequence[str], others: int) -> DataError:
    further = len(problems) - 1
    more = f" {further:,} more record{'s are' if further > 1 else ' is'} wrong." if further else ""
    remedy = "; '--skip-wrong' leaves out what is wrong" if others else ""
    return DataError(f"'{path}', {problems[0]}.{more} Correct the file, or get it again{remedy}.")


def _skipped(problems: Sequence[str]) -> tuple[str, ...]:
    """Say which records were left out, the first few of them with the reason."""
    if not problems:
        return ()
    first = "The first: " if len(problems) > PROBLEMS_SHOWN else ""
    shown = "; ".join(problems[:PROBLEMS_SHOWN])
    return (f"Records that are wrong and were left out: {len(problems):,}. {first}{shown}.",)


def without_marker(raw: RawTable, key: str, marker: float, meaning: str) -> RawTable:
    """Return the table with NaN where a column has ``marker``, and a note that says ``meaning``."""
    column = raw.columns.get(key)
    if column is None or not (marked := column == marker).any():
        return raw
    cleaned = column.copy()
    cleaned[marked] = float("nan")
    note = f"{key} is {marker:g} in {int(marked.sum()):,} rows: {meaning}; stored as not measured."
    return replace(raw, columns={**raw.columns, key: cleaned}, notes=(*raw.notes, note))
