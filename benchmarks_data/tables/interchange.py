"""Tables in the toolkit's interchange form: CSV, compressed CSV or Parquet, one row an architecture.

The column ``architecture`` has strings in the search space's own notation, every column with a ``/`` in its name is a
metric (:func:`.metrics.parse_metric_key`), ``trainable_parameters`` or ``num_parameters`` and ``module_hash`` are
understood, and ``recipe_id``, others are ignored. An empty cell means that nothing was measured.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from array import array
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np

from ...core.errors import DataError
from ...core.input_files import UTF8, other_delimiter
from ...core.interfaces import Progress
from ...core.number_text import read_number
from .interchange_columns import ARCHITECTURE, MAX_ROWS, ColumnPlan, checks_of, plan_columns
from .raw import RawTable

INTERCHANGE_SUFFIXES = (".csv", ".csv.gz", ".parquet")

# The whole of NAS-Bench-101 takes 61 MB, and with all metrics of its makers less than 150 MB.
MAX_UNPACKED_CHARACTERS = 2**28

# A line of NAS-Bench-NLP, whose recipes are the longest strings of all, has some 2,000 characters.
MAX_LINE_CHARACTERS = 1_000_000

# Empty lines are read over, and a gigabyte of them packs into one megabyte.
_MAX_LINES = 2 * MAX_ROWS

_ROWS_PER_PROGRESS = 16_384


def read_interchange(path: Path, progress: Progress) -> RawTable:
    """Read a table in the interchange form.

    Args:
        path: A ``.csv``, ``.csv.gz`` or ``.parquet`` file.
        progress: Told bytes of the file, or rows.

    Raises:
        DataError: The file is not such a table; the message names the line.
    """
    if path.suffix.lower() == ".parquet":
        from .interchange_parquet import read_parquet

        return read_parquet(path, progress)
    try:
        with path.open("rb") as binary:
            return _read_csv(path, binary, progress)
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not text in UTF-8 ({error.reason}). Save it as UTF-8.") from error
    except (EOFError, zlib.error, OSError) as error:
        raise DataError(f"'{path}' cannot be read: {error}. The file is cut off or damaged; get it again.") from error


def _read_csv(path: Path, binary: BinaryIO, progress: Progress) -> RawTable:
    size = path.stat().st_size
    with _text_of(path, binary) as text:
        lines = _lines(path, text)
        first_line = next(lines, "")
        if problem := other_delimiter(first_line, ARCHITECTURE):
            raise DataError(f"'{path}' is no table that can be read: {problem}.")
        reader = csv.reader(chain([first_line], lines), strict=True)
        try:
            header = next(reader, [])
            plan = plan_columns(path, header)
            rows = _Rows(path, plan, len(header))
            for number, cells in enumerate(reader, 1):
                if cells:
                    rows.add(cells, reader.line_num)
                if number % _ROWS_PER_PROGRESS == 0:
                    progress(binary.tell(), size)
        except csv.Error as error:
            raise DataError(f"'{path}', line {reader.line_num}: {error}. Correct the file, or get it again.") from error
    progress(size, size)
    return rows.table()


def _text_of(path: Path, binary: BinaryIO) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(binary, "rt", encoding=UTF8, newline="")
    return TextIOWrapper(binary, encoding=UTF8, newline="")


def _lines(path: Path, text: TextIO) -> Iterator[str]:
    """Yield the lines of a file, none of them and not all together larger than expected."""
    number = unpacked = 0
    while line := text.readline(MAX_LINE_CHARACTERS + 1):
        number += 1
        unpacked += len(line)
        if number > _MAX_LINES:
            raise DataError(
                f"'{path}' has more than {_MAX_LINES:,} lines, which is more than any table has. It is not what it "
                "claims to be; get the file again."
            )
        if len(line) > MAX_LINE_CHARACTERS:
            raise DataError(
                f"'{path}', line {number}: longer than {MAX_LINE_CHARACTERS:,} characters. This is no table of "
                "architectures; check that it is the right file."
            )
        if unpacked > MAX_UNPACKED_CHARACTERS:
            raise DataError(
                f"'{path}' unpacks to more than {MAX_UNPACKED_CHARACTERS:,} characters, which is more than any table "
                "has. It is not what it claims to be; get the file again."
            )
        yield line


class _Rows:
    """Collects the rows of a CSV file in compact arrays."""

    def __init__(self, path: Path, plan: ColumnPlan, width: int) -> None:
        self._path = path
        self._plan = plan
        self._width = width
        self._architectures: list[str] = []
        self._values = {key: array("d") for key in plan.metrics}
        self._module_hashes: list[str] = []
        self._identifiers: list[str] = []
        self._line_numbers = array("q")

    def add(self, cells: list[str], line: int) -> None:
        """Take one row; ``line`` is its last line in the file.

        Raises:
            DataError: It has another number of cells than the first line, or is one row too many.
        """
        if len(cells) != self._width:
            raise DataError(
                f"'{self._path}', line {line}: {len(cells)} cells, expected {self._width} as in the first line. The "
                "file may be cut off; get it again."
            )
        if len(self._architectures) == self._plan.max_rows:
            raise DataError(
                f"'{self._path}' has more than {self._plan.max_rows:,} rows, which is more than any table has. It is "
                "not what it claims to be; get the file again."
            )
        self._line_numbers.append(line)
        self._architectures.append(cells[self._plan.architecture])
        if self._plan.module_hash is not None:
            self._module_hashes.append(cells[self._plan.module_hash])
        if self._plan.identifier is not None:
            self._identifiers.append(cells[self._plan.identifier])
        for key, position in self._plan.metrics.items():
            try:
                self._values[key].append(_number(cells[position]))
            except ValueError as error:
                raise DataError(
                    f"'{self._path}', line {line}: '{cells[position][:40]}' in column '{self._plan.names[key]}' is not "
                    "a finite number. Correct it, or leave the cell empty if it was not measured."
                ) from error

    def table(self) -> RawTable:
        """Return what was collected."""
        columns = {key: np.array(values) for key, values in self._values.items()}
        lines = self._line_numbers
        return RawTable(
            architectures=self._architectures,
            columns=columns,
            checks=checks_of(self._plan, columns, self._module_hashes),
            notes=self._plan.notes,
            row_name=lambda row: f"line {lines[row]:,}",
            identifiers=self._identifiers,
        )


def _number(cell: str) -> float:
    """Return the number in a cell, NaN for an empty cell. Raises ValueError for text, ``nan`` and ``inf``."""
    if not cell:
        return math.nan
    value = read_number(cell, float)
    if not math.isfinite(value):
        raise ValueError(cell)
    return value
