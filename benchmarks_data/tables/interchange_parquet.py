"""Interchange tables as Parquet files; needs pyarrow, which only this module imports."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from ...core.interfaces import Progress
from .interchange_columns import HASH_COLUMN, IDENTIFIER_COLUMN, ColumnPlan, checks_of, plan_columns
from .raw import RawTable

# As for CSV files: what no table needs.
MAX_UNPACKED_BYTES = 2**28

_ROWS_PER_BATCH = 16_384
_BUFFER_BYTES = 2**20


def read_parquet(path: Path, progress: Progress) -> RawTable:
    """Read an interchange table from a Parquet file; null means that nothing was measured.

    Raises:
        DataError: pyarrow is missing, or the file is not such a table; the message names the row.
    """
    pyarrow, parquet = _import_pyarrow(path)
    try:
        file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES, page_checksum_verification=True)
        plan = plan_columns(path, file.schema_arrow.names)
        _check_size(path, file.metadata, plan.max_rows)
        return _read_batches(path, file, plan, progress)
    except (pyarrow.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"'{path}' cannot be read as Parquet: {reason}. Get the file again.") from error


def _import_pyarrow(path: Path) -> tuple[ModuleType, ModuleType]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise DataError(
            f"'{path}': Parquet files need pyarrow, which is not installed. Run 'pip install "
            "nasbench-toolkit[parquet]', or save the table as CSV."
        ) from error


def _check_size(path: Path, metadata: Any, max_rows: int) -> None:
    unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if metadata.num_rows > max_rows or unpacked > MAX_UNPACKED_BYTES:
        raise DataError(
            f"'{path}' claims {metadata.num_rows:,} rows and unpacks to {unpacked:,} bytes, which is more than any "
            "table has. It is not what it claims to be; get the file again."
        )


def _read_batches(path: Path, file: Any, plan: ColumnPlan, progress: Progress) -> RawTable:
    names = file.schema_arrow.names
    architectures: list[str] = []
    module_hashes: list[str] = []
    identifiers: list[str] = []
    parts: dict[str, list[npt.NDArray[np.float64]]] = {key: [] for key in plan.metrics}
    wanted = [names[plan.architecture], *plan.names.values()] + [HASH_COLUMN] * (plan.module_hash is not None)
    wanted += [IDENTIFIER_COLUMN] * (plan.identifier is not None)
    for batch in file.iter_batches(_ROWS_PER_BATCH, columns=wanted, use_threads=False):
        first_row = len(architectures)
        for key, name in plan.names.items():
            parts[key].append(_numbers(path, batch.column(name), name, first_row))
        architectures += _texts(path, batch.column(names[plan.architecture]), names[plan.architecture], first_row)
        if plan.module_hash is not None:
            module_hashes += _texts(path, batch.column(HASH_COLUMN), HASH_COLUMN, first_row)
        if plan.identifier is not None:
            identifiers += map(str, batch.column(IDENTIFIER_COLUMN).to_pylist())
        progress(len(architectures), max(file.metadata.num_rows, len(architectures)))
    columns = {key: np.concatenate(part) if part else np.empty(0) for key, part in parts.items()}
    return RawTable(
        architectures=architectures,
        columns=columns,
        checks=checks_of(plan, columns, module_hashes),
        notes=plan.notes,
        row_name=_row_name,
        identifiers=identifiers,
    )


def _row_name(row: int) -> str:
    return f"row {row + 1:,}"


def _texts(path: Path, column: Any, name: str, first_row: int) -> list[str]:
    texts: list[str] = column.to_pylist()
    for row, text in enumerate(texts, first_row):
        if not isinstance(text, str):
            raise DataError(f"'{path}', {_row_name(row)}: column '{name}' has {text!r:.40}, expected text.")
    return texts


def _numbers(path: Path, column: Any, name: str, first_row: int) -> npt.NDArray[np.float64]:
    """Return the numbers of a column with NaN for null; refuse NaN and infinity, which nobody measured."""
    values: list[float | None] = column.to_pylist()
    for row, value in enumerate(values, first_row):
        if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
            raise DataError(f"'{path}', {_row_name(row)}: column '{name}' has {value!r:.40}, expected a number.")
        if isinstance(value, float) and not np.isfinite(value):
            raise DataError(
                f"'{path}', {_row_name(row)}: '{value}' in column '{name}' is not a finite number. Correct it, or make "
                "it null if it was not measured."
            )
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
