"""Looks values up in a stored table, whose layout :mod:`.store_writer` describes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ...core.domain import Metric
from ...core.errors import DataError, DataInUseError
from ...core.hdf5.reading import read_hdf5
from ...core.hdf5.stored import StoredArray, StoredGroup, Unread
from ...core.interfaces import GroundTruth
from ...core.plain_text import printable, shortened
from ...core.regular_files import OpenElsewhereError
from .metrics import QUANTITIES, parse_metric_key
from .store_writer import FORMAT, FORMAT_VERSION

TABLE_NAME = "table.h5"

# What h5py and the checks below raise for a file that is not what it should be.
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError, OverflowError)


class StoredTable(GroundTruth):
    """A stored table; columns are read when they are asked for, and kept.

    Attributes:
        path: The file.
        data_source: Name of the data source that it was imported by.
        imported_from: Name of the user's file.
        num_rows: Number of rows that the user's file had, before rows of one architecture were merged.
    """

    def __init__(self, path: Path, file: StoredGroup) -> None:
        """Read all but the large arrays; :meth:`open` is the way to make one."""
        self.path = path
        self.data_source = _text(file.attrs["data_source"])
        self.imported_from = _text(file.attrs["imported_from"])
        reduction = _text(file.attrs["reduction"])
        self._length = math.prod(file.array("architectures").shape)
        columns = file.group("columns")
        self._names = {_metric(columns.array(name), reduction): name for name in sorted(columns.members, key=int)}
        if not self._names or not self._length:
            raise ValueError("it has no values")
        self._noise_ceilings = {metric.key: _noise_ceiling(columns.array(name)) for metric, name in self._names.items()}
        self._columns: dict[str, npt.NDArray[np.float64]] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a table.

        Raises:
            DataError: The file is missing, damaged, of something else or of a newer version. It is never changed.
        """
        with _reading(path) as file:
            return cls(path, file)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the table holds; the first is the default."""
        return tuple(self._names)

    def __len__(self) -> int:
        """Return the number of architectures."""
        return self._length

    @property
    def arch_ids(self) -> list[str]:
        """All canonical strings, in rising order."""
        return [arch_id.decode() for arch_id in self._encoded_ids.tolist()]

    @cached_property
    def num_rows(self) -> int:
        """Number of rows that the user's file had, before rows of one architecture were merged."""
        with _reading(self.path, "rows_merged") as file:
            return int(_values(file.array("rows_merged"), "i", self._length).sum())

    def values(self, metric: Metric, arch_ids: Sequence[str]) -> list[float]:
        """Return one value for each canonical string, NaN where the table has none.

        Raises:
            DataError: The table has no such metric, or is damaged.
        """
        column = self._column(metric)
        wanted = np.array([arch_id.encode() for arch_id in arch_ids], dtype="S")
        rows = np.searchsorted(self._encoded_ids, wanted).clip(max=self._length - 1)
        found = self._encoded_ids[rows] == wanted
        values: list[float] = np.where(found, column[rows], np.nan).tolist()
        return values

    def noise_ceiling(self, metric: Metric) -> float | None:
        """Return the rank correlation of a column with one made of other runs, None if the file had too few runs."""
        return self._noise_ceilings.get(metric.key)

    def all_values(self, metric: Metric) -> npt.NDArray[np.float64]:
        """Return the values of all architectures, NaN where one was not measured.

        Raises:
            DataError: The table has no such metric, or is damaged.
        """
        return self._column(metric).copy()

    def verify(self) -> None:
        """Read everything and check it.

        Raises:
            DataError: Something is damaged: checksums, order of the architectures, ranges of the values.
        """
        with _reading(self.path, "rows_merged") as file:
            ids = self._encoded_ids
            if not (ids[:-1] < ids[1:]).all():
                raise ValueError("its architectures are not in order")
            if (_values(file.array("rows_merged"), "i", self._length) < 1).any():
                raise ValueError("a row was made from none")
            for metric in self.metrics:
                if QUANTITIES[metric.quantity].impossible(self._column(metric)).any():
                    raise ValueError(f"{metric.key} is out of range")

    @cached_property
    def _encoded_ids(self) -> npt.NDArray[np.bytes_]:
        with _reading(self.path, "architectures") as file:
            ids = _values(file.array("architectures"), "S", self._length)
            if (ids.view(np.uint8) >= 0x80).any():
                b"".join(ids.tolist()).decode()
            return ids

    def _column(self, metric: Metric) -> npt.NDArray[np.float64]:
        if metric.key not in self._columns:
            names = {known.key: name for known, name in self._names.items()}
            if metric.key not in names:
                raise DataError(f"'{self.path}' has no metric '{metric.key}'. It has {', '.join(names)}.")
            with _reading(self.path, f"columns/{names[metric.key]}") as file:
                column = file.group("columns").array(names[metric.key])
                self._columns[metric.key] = _values(column, "f", self._length)
        return self._columns[metric.key]


@contextmanager
def _reading(path: Path, *wanted: str) -> Iterator[StoredGroup]:
    """Read a table's file with the ``wanted`` arrays; whatever goes wrong with it becomes a DataError."""
    try:
        file = read_hdf5(path, wanted)
        _check_format(path, file)
        yield file
    except FileNotFoundError as error:
        raise DataError(f"There is no table '{path}'. Import it again with 'nasbench data import'.") from error
    except OpenElsewhereError as error:
        raise DataInUseError(f"{error}. Close it there, or wait until it is done.") from error
    except READ_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"'{path}' is damaged or not a stored table ({reason}). It was left as it is; import the table again."
        ) from error


def _check_format(path: Path, file: StoredGroup) -> None:
    name, version = _text(file.attrs.get("format", "unknown")), file.attrs.get("format_version")
    if name != FORMAT:
        raise ValueError(f"its format is {name!r}, expected {FORMAT!r}")
    if not isinstance(version, int):
        raise ValueError("its format has no version")
    if version > FORMAT_VERSION:
        raise DataError(
            f"'{path}' has version {version} of the format; this nasbench reads {FORMAT_VERSION}. Update "
            "nasbench-toolkit, or import the table again."
        )


def _text(value: str | float | Unread) -> str:
    """Return an attribute as text. Raises ValueError if it is none."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text of fixed length, got {value.kind if isinstance(value, Unread) else value!r}")
    return value


def _metric(column: StoredArray, reduction: str) -> Metric:
    """Return what a column holds. Raises ValueError if its key is none of a metric."""
    key = _text(column.attrs["key"])
    try:
        return parse_metric_key(key, reduction)
    except DataError as error:
        raise ValueError(
            f"'{column.name}' has the key '{printable(shortened(key, 100))}', which is no metric"
        ) from error


def _noise_ceiling(column: StoredArray) -> float | None:
    """Return a column's noise ceiling, None if it has none. Raises ValueError if it cannot be one."""
    ceiling = column.attrs.get("noise_ceiling")
    if ceiling is None:
        return None
    if not isinstance(ceiling, float) or not 0.0 <= ceiling <= 1.0:
        raise ValueError(f"'{column.name}' has a noise ceiling that is no number from 0 to 1")
    return ceiling


def _values(array: StoredArray, kind: str, length: int) -> npt.NDArray[Any]:
    """Return the values of an array after checking that they are what they should be."""
    if array.shape != (length,) or array.kind != kind:
        raise ValueError(f"'{array.name}' has shape {array.shape} and type {array.dtype}")
    return array.load()
