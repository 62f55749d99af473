"""Reads results files that may come from anywhere: every field is checked, nothing in them is executed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ..domain import Direction, Metric, Record, Seconds, Status
from ..errors import ResultsFileError
from ..plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from .contents import EvaluatorResults, Results
from .journal import Position, read_journal
from .layout import FORMAT, FORMAT_VERSION, NO_EPOCHS, SECONDS_PARTS, journal_path

# A million architectures with a curve of a hundred points; a small file can claim to unpack to far more.
MAX_ARRAY_BYTES = 2**30

# What h5py and the checks below raise for a file that is not what it should be.
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError)


def read_results(path: Path) -> Results:
    """Read a results file, with the records of its journal if its run is unfinished.

    Raises:
        ResultsFileError: It is missing, a directory, damaged, not ours, or of a newer version. It is never changed.
    """
    if path.is_dir():
        raise ResultsFileError(f"'{path}' is a directory. Name a results file.")
    if not path.exists():
        raise ResultsFileError(f"There is no file '{path}'. Make one with 'nasbench run --output {path}'.")
    if not path.is_file():
        raise ResultsFileError(f"'{path}' is a device or a pipe. Name a results file.")
    # The journal first: what a running job moves into the file meanwhile is then seen twice instead of never.
    journal = read_journal(journal_path(path))
    try:
        with h5py.File(path, "r") as file:
            _check_format(path, file)
            stored_id = _text(file.attrs["plan_id"])
            results = _read_file(file)
            if _text(file.attrs.get("texts_digest", results.texts_digest)) != results.texts_digest:
                raise ValueError("its descriptions and their checksum differ")
    except PermissionError as error:
        raise ResultsFileError(f"'{path}' cannot be read: permission denied.") from error
    except READ_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultsFileError(
            f"'{path}' is damaged or not a results file ({reason}). It was left as it is."
        ) from error
    if results.plan_id != stored_id:
        raise ResultsFileError(f"'{path}' is damaged: its plan and its hash differ. It was left as it is.")
    return _with_records(results, journal.records_of(stored_id))


def _check_format(path: Path, file: h5py.File) -> None:
    if file.attrs.get("format") != FORMAT:
        raise ResultsFileError(f"'{path}' is an HDF5 file, but not one that 'nasbench run' wrote.")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise ResultsFileError(
            f"'{path}' has layout version {version}, this nasbench reads up to {FORMAT_VERSION}. Upgrade with "
            "'pip install --upgrade nasbench-toolkit'. The file was left as it is."
        )


def _read_file(file: h5py.File) -> Results:
    plan = file["plan"].attrs
    header = PlanHeader(_text(plan["space"]), _text(plan["dataset"]), int(plan["seed"]), _text(plan["sampling"]))
    arch_ids = tuple(_read_texts(file["architectures"]))
    count = len(arch_ids)
    if len(set(arch_ids)) != count:
        raise ValueError("an architecture is listed twice")
    columns = [_read_ground_truth(dataset, count) for dataset in _by_position(file["ground_truth"])]
    parts = [_read_evaluator(group, count) for group in _by_position(file["evaluators"])]
    environment = {name: _text(value) for name, value in file["environment"].attrs.items()}
    aggregates = tuple(_read_json_texts(plan.get("aggregates", "[]")))
    return Results(header, arch_ids, tuple(columns), tuple(parts), environment, aggregates)


def _read_ground_truth(dataset: h5py.Dataset, count: int) -> GroundTruthColumn:
    attrs = dataset.attrs
    metric = Metric(
        _text(attrs["dataset"]),
        _text(attrs["split"]),
        _text(attrs["quantity"]),
        None if int(attrs["epochs"]) == NO_EPOCHS else int(attrs["epochs"]),
        Direction(_text(attrs["direction"])),
        _text(attrs["unit"]),
        _text(attrs.get("reduction", "")),
    )
    ceiling = float(attrs["noise_ceiling"])
    values = tuple(_read_numbers(dataset, count).tolist())
    return GroundTruthColumn(metric, values, None if math.isnan(ceiling) else ceiling, _text(attrs["source"]))


def _read_evaluator(group: h5py.Group, count: int) -> EvaluatorResults:
    attrs = group.attrs
    header = EvaluatorHeader(
        label=_text(attrs["label"]),
        name=_text(attrs["name"]),
        direction=Direction(_text(attrs["direction"])),
        version=int(attrs["version"]),
        settings=_read_json_object(attrs["settings"]),
        settings_hash=_text(attrs["settings_hash"]),
        distribution=_text(attrs["distribution"]),
    )
    scores = _read_numbers(group["score"], count).tolist()
    statuses = _read_texts(group["status"], count)
    messages = _read_texts(group["message"], count)
    seconds = [_read_numbers(group[f"seconds_{part}"], count).tolist() for part in SECONDS_PARTS]
    curves = {name: _read_curves(dataset, count) for name, dataset in group["curves"].items()}
    batches = {str(name): str(digest) for name, digest in _read_json_object(attrs.get("batches", "{}")).items()}
    records = []
    for row in range(count):
        own_curves = {name: rows[row] for name, rows in curves.items() if rows[row]}
        if (statuses[row] == Status.OK) != math.isfinite(scores[row]):
            raise ValueError(f"'{header.label}' has status {statuses[row]} and score {scores[row]}")
        row_seconds = Seconds(*(part[row] for part in seconds))
        status = Status(statuses[row])
        seen = {} if status is Status.PENDING else batches
        records.append(Record(status, scores[row], messages[row], row_seconds, own_curves, seen))
    return EvaluatorResults(header, tuple(records))


def _read_numbers(dataset: h5py.Dataset, count: int) -> npt.NDArray[np.float64]:
    if dataset.shape != (count,) or dataset.dtype.kind != "f":
        raise ValueError(f"'{dataset.name}' must hold {count} numbers")
    values: npt.NDArray[np.float64] = _load(dataset).astype(np.float64)
    return values


def _read_texts(dataset: h5py.Dataset, count: int | None = None) -> list[str]:
    if dataset.ndim != 1 or dataset.dtype.kind != "S" or count not in (None, len(dataset)):
        raise ValueError(f"'{dataset.name}' must hold {'texts' if count is None else f'{count} texts'}")
    return [text.decode() for text in _load(dataset).tolist()]


def _read_curves(dataset: h5py.Dataset, count: int) -> list[tuple[float, ...]]:
    if dataset.ndim != 2 or len(dataset) != count or dataset.dtype.kind != "f":
        raise ValueError(f"'{dataset.name}' must hold {count} curves")
    rows = _load(dataset).astype(np.float64)
    lengths = [int(np.flatnonzero(~np.isnan(row)).max(initial=-1)) + 1 for row in rows]
    return [tuple(row[:length].tolist()) for row, length in zip(rows, lengths, strict=True)]


def _load(dataset: h5py.Dataset) -> npt.NDArray[Any]:
    if dataset.nbytes > MAX_ARRAY_BYTES:
        raise ValueError(f"'{dataset.name}' would unpack to {dataset.nbytes:,} bytes")
    loaded: npt.NDArray[Any] = dataset[()]
    return loaded


def _read_json_object(value: Any) -> Mapping[str, Any]:
    decoded = json.loads(_text(value))
    if not isinstance(decoded, dict):
        raise ValueError("settings must be a JSON object")
    return decoded


def _read_json_texts(value: Any) -> list[str]:
    decoded = json.loads(_text(value))
    if not isinstance(decoded, list) or not all(isinstance(text, str) for text in decoded):
        raise ValueError("aggregates must be a JSON list of texts")
    return decoded


def _by_position(group: h5py.Group) -> list[Any]:
    return sorted(group.values(), key=lambda member: int(member.attrs["position"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, got {type(value).__name__}")
    return value


def _with_records(results: Results, records: Mapping[Position, Record]) -> Results:
    parts = []
    for i, part in enumerate(results.evaluators):
        rows = [records.get((i, j), record) for j, record in enumerate(part.records)]
        parts.append(replace(part, records=tuple(rows)))
    return replace(results, evaluators=tuple(parts))
