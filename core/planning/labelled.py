"""Reads labelled architectures: a CSV of architectures and their trained performance."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ..domain import Direction
from ..errors import InvalidArchitectureError, UsageError
from ..input_files import check_input, other_delimiter, read_text
from ..interfaces import SearchSpace
from ..number_text import read_number
from .label_columns import ARCHITECTURE, choose_direction, choose_label

MAX_FILE_BYTES = 200_000_000
"""NAS-Bench-101's 423,624 cells take 40 MB: a larger file lists no architectures. Ours."""


@dataclass(frozen=True)
class LabelledArchitectures:
    """Architectures of known performance.

    Attributes:
        arch_ids: Canonical strings, distinct.
        labels: The performance of each, finite.
        label: What it is: the name of the column.
        direction: Which end of the labels is the good one.
    """

    arch_ids: tuple[str, ...]
    labels: tuple[float, ...]
    label: str
    direction: Direction


def read_labelled(
    path: Path,
    space: SearchSpace,
    dataset: str,
    *,
    label: str | None = None,
    lower_is_better: bool | None = None,
    option: str,
) -> LabelledArchitectures:
    """Read and check a CSV with a header.

    Args:
        path: The file; its column ``architecture`` holds architectures of the space in any spelling.
        space: The search space.
        dataset: Data set of the run, which completes the name of a metric.
        label: Name of the column of labels, None for the first that neither holds the architectures nor numbers the
            rows.
        lower_is_better: Direction of labels that the space's table does not know, None if their name tells it.
        option: The option that named the file, for messages.

    Raises:
        UsageError: Something in the file cannot be used; the message names the row, counted without the header.
    """
    rows = _read_rows(path, option)
    label = choose_label(path, rows, label)
    arch_ids = _identify(path, [row[ARCHITECTURE] for row in rows], space)
    labels = [_number(path, number, label, row[label]) for number, row in enumerate(rows, start=1)]
    direction = choose_direction(path, space, dataset, label, lower_is_better)
    return LabelledArchitectures(tuple(arch_ids), tuple(labels), label, direction)


def has_architecture_column(line: str) -> bool:
    """Whether the first line of a text is the header of a CSV with a column ``architecture``."""
    return ARCHITECTURE in [name.strip().strip('"') for name in line.split(",")]


def read_architecture_column(path: Path) -> list[str]:
    """Return the column ``architecture`` of a CSV as it is spelled there.

    Raises:
        UsageError: It cannot be read.
    """
    return [row[ARCHITECTURE].strip() for row in _read_rows(path, "--architectures")]


def _read_rows(path: Path, option: str) -> Sequence[Mapping[str, str]]:
    check_input(path, f"{option} takes a CSV with a column 'architecture' and one of trained performance.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UsageError(f"'{path}' has more than {MAX_FILE_BYTES:,} bytes: that is no list of architectures.")
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is not a text: {option} takes a CSV.") from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error.strerror}.") from error
    if problem := other_delimiter(text.partition("\n")[0].rstrip("\r"), ARCHITECTURE):
        raise UsageError(f"'{path}' is no table that can be read: {problem}.")
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise UsageError(f"'{path}' cannot be read as CSV: {error}.") from error
    return _rows_of(path, table)


def _rows_of(path: Path, table: Sequence[Sequence[str]]) -> Sequence[Mapping[str, str]]:
    header = [name.strip() for name in table[0]] if table else []
    if ARCHITECTURE not in header:
        shown = ", ".join(header[:5]) or "none"
        raise UsageError(f"'{path}' has no column 'architecture'. Its first row names the columns: {shown[:200]}.")
    if len(set(header)) < len(header):
        raise UsageError(f"'{path}' names a column twice: {', '.join(header)}.")
    for number, row in enumerate(table[1:], start=1):
        if len(row) != len(header):
            raise UsageError(
                f"'{path}', row {number} has {len(row)} fields, the header {len(header)}. Put quotation marks around "
                "architectures with commas."
            )
    if len(table) == 1:
        raise UsageError(f"'{path}' has a header and no row. Give each labelled architecture one.")
    return [dict(zip(header, row, strict=True)) for row in table[1:]]


def _identify(path: Path, texts: Sequence[str], space: SearchSpace) -> list[str]:
    rows: dict[str, int] = {}
    for number, text in enumerate(texts, start=1):
        try:
            arch_id = space.canonicalize(text.strip())
        except InvalidArchitectureError as error:
            raise UsageError(f"'{path}', row {number}: {error}") from error
        if arch_id in rows:
            raise UsageError(
                f"'{path}': rows {rows[arch_id]} and {number} are the same architecture, '{arch_id}'. Leave one out."
            )
        rows[arch_id] = number
    return list(rows)


def _number(path: Path, row: int, label: str, text: str) -> float:
    try:
        number = read_number(text, float)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        _refuse_number(path, row, label, text)
    return number


def _refuse_number(path: Path, row: int, label: str, text: str) -> NoReturn:
    raise UsageError(
        f"'{path}', row {row}: the label '{text[:40]}' in column '{label}' is not a finite number. Correct it, leave "
        "the row out, or name another column with --label."
    )
