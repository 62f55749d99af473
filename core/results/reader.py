"""Reads results files that may come from anywhere: every field is checked, nothing in them is executed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from ..domain import Direction, Metric, Record, Seconds, Status
from ..errors import ResultsFileError
from ..plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from .contents import PENDING, EvaluatorResults, Results
from .journal import JournalContents, read_journal
from .layout import FORMAT, FORMAT_VERSION, NO_EPOCHS, SECONDS_PARTS, journal_path

# A million architectures with a curve of a hundred points; a small file can claim to unpack to far more.
MAX_ARRAY_BYTES = 2**30

# What h5py and the checks below raise for a file that is not what it should be.
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError)

T = TypeVar("T")


def read_results(path: Path) -> Results:
    """Read a results file, with the records of its journal if its run is unfinished.

    Raises:
        ResultsFileError: It is missing, a directory, damaged, not ours, or of a newer version. It is never changed.
    """
    return read_results_and(path, lambda *_: None)[0]


def read_results_and(path: Path, read_more: Callable[[h5py.File, Results, JournalContents], T]) -> tuple[Results, T]:
    """Read a results file and something else in it.

    Args:
        path: The results file.
        read_more: Called with the open file, its results with the journal's, and the journal. What h5py raises in it
            means that the file is damaged, and so does a ValueError.

    Raises:
        ResultsFileError: As :func:`read_results`.
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
            stored = _read_file(file)
            if read_text(file.attrs.get("texts_digest", stored.texts_digest)) != stored.texts_digest:
                raise ValueError("its descriptions and their checksum differ")
            if stored.plan_id != read_text(file.attrs["plan_id"]):
                raise ValueError("its plan and its hash differ")
            results = _with_journal(stored, journal)
            return results, read_more(file, results, journal)
    except PermissionError as error:
        raise ResultsFileError(f"'{path}' cannot be read: permission denied.") from error
    except READ_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultsFileError(
            f"'{path}' is damaged or not a results file ({reason}). It was left as it is."
        ) from error


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
    header = PlanHeader(
        read_text(plan["space"]), read_text(plan["dataset"]), int(plan["seed"]), read_text(plan["sampling"])
    )
    arch_ids = tuple(read_texts(file["architectures"]))
    count = len(arch_ids)
    if len(set(arch_ids)) != count:
        raise ValueError("an architecture is listed twice")
    columns = [_read_ground_truth(dataset, count) for dataset in _by_position(file["ground_truth"])]
    parts = [_read_evaluator(group, count) for group in _by_position(file["evaluators"])]
    environment = {name: read_text(value) for name, value in file["environment"].attrs.items()}
    aggregates = tuple(_read_json_texts(plan.get("aggregates", "[]")))
    search_id = read_text(file.attrs["search_id"]) if "search_id" in file.attrs else None
    return Results(header, arch_ids, tuple(columns), tuple(parts), environment, aggregates, search_id)


def _read_ground_truth(dataset: h5py.Dataset, count: int) -> GroundTruthColumn:
    attrs = dataset.attrs
    metric = Metric(
        read_text(attrs["dataset"]),
        read_text(attrs["split"]),
        read_text(attrs["quantity"]),
        None if int(attrs["epochs"]) == NO_EPOCHS else int(attrs["epochs"]),
        Direction(read_text(attrs["direction"])),
        read_text(attrs["unit"]),
        read_text(attrs.get("reduction", "")),
    )
    ceiling = float(attrs["noise_ceiling"])
    values = tuple(_read_numbers(dataset, count).tolist())
    return GroundTruthColumn(metric, values, None if math.isnan(ceiling) else ceiling, read_text(attrs["source"]))


def _read_evaluator(group: h5py.Group, count: int) -> EvaluatorResults:
    attrs = group.attrs
    header = EvaluatorHeader(
        label=read_text(attrs["label"]),
        name=read_text(attrs["name"]),
        direction=Direction(read_text(attrs["direction"])),
        version=int(attrs["version"]),
        settings=read_json_object(attrs["settings"]),
        settings_hash=read_text(attrs["settings_hash"]),
        distribution=read_text(attrs["distribution"]),
    )
    scores = _read_numbers(group["score"], count).tolist()
    statuses = read_texts(group["status"], count)
    messages = read_texts(group["message"], count)
    seconds = [_read_numbers(group[f"seconds_{part}"], count).tolist() for part in SECONDS_PARTS]
    curves = {name: _read_curves(dataset, count) for name, dataset in group["curves"].items()}
    batches = {str(name): str(digest) for name, digest in read_json_object(attrs.get("batches", "{}")).items()}
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
    values: npt.NDArray[np.float64] = load(dataset).astype(np.float64)
    return values


def read_texts(dataset: h5py.Dataset, count: int | None = None) -> list[str]:
    """Return the texts of a dataset. Raises ValueError if it holds anything else, or another number than ``count``."""
    if dataset.ndim != 1 or dataset.dtype.kind != "S" or count not in (None, len(dataset)):
        raise ValueError(f"'{dataset.name}' must hold {'texts' if count is None else f'{count} texts'}")
    return [text.decode() for text in load(dataset).tolist()]


def _read_curves(dataset: h5py.Dataset, count: int) -> list[tuple[float, ...]]:
    if dataset.ndim != 2 or len(dataset) != count or dataset.dtype.kind != "f":
        raise ValueError(f"'{dataset.name}' must hold {count} curves")
    rows = load(dataset).astype(np.float64)
    lengths = [int(np.flatnonzero(~np.isnan(row)).max(initial=-1)) + 1 for row in rows]
    return [tuple(row[:length].tolist()) for row, length in zip(rows, lengths, strict=True)]


def load(dataset: h5py.Dataset) -> npt.NDArray[Any]:
    """Return what a dataset holds. Raises ValueError if that is too large to be true."""
    if dataset.nbytes > MAX_ARRAY_BYTES:
        raise ValueError(f"'{dataset.name}' would unpack to {dataset.nbytes:,} bytes")
    loaded: npt.NDArray[Any] = dataset[()]
    return loaded


def read_json_object(value: Any) -> Mapping[str, Any]:
    """Return the JSON object in an attribute. Raises ValueError if it holds anything else."""
    decoded = json.loads(read_text(value))
    if not isinstance(decoded, dict):
        raise ValueError("settings must be a JSON object")
    return decoded


def _read_json_texts(value: Any) -> list[str]:
    decoded = json.loads(read_text(value))
    if not isinstance(decoded, list) or not all(isinstance(text, str) for text in decoded):
        raise ValueError("aggregates must be a JSON list of texts")
    return decoded


def _by_position(group: h5py.Group) -> list[Any]:
    return sorted(group.values(), key=lambda member: int(member.attrs["position"]))


def read_text(value: Any) -> str:
    """Return the text in an attribute. Raises ValueError if it holds anything else."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, got {type(value).__name__}")
    return value


def _with_journal(results: Results, journal: JournalContents) -> Results:
    """Add what the journal has: records, and the architectures that a search has proposed since."""
    records = journal.records_of(results.search_id or results.plan_id)
    if results.search_id is not None:
        results = _with_new_architectures(results, journal)
    if any(not 0 <= arch < len(results.arch_ids) for _, arch in records):
        raise ResultsFileError(f"'{journal.path}' has a record of an architecture that nothing names.")
    parts = []
    for i, part in enumerate(results.evaluators):
        rows = [records.get((i, j), record) for j, record in enumerate(part.records)]
        parts.append(replace(part, records=tuple(rows)))
    return replace(results, evaluators=tuple(parts))


def _with_new_architectures(results: Results, journal: JournalContents) -> Results:
    known, new = set(results.arch_ids), dict[str, tuple[float, ...]]()
    for _, proposal in sorted(journal.proposals.items(), key=lambda numbered: numbered[0]):
        if proposal.arch_id not in known:
            new.setdefault(proposal.arch_id, proposal.ground_truth)
    if any(len(values) != len(results.ground_truth) for values in new.values()):
        raise ResultsFileError(f"'{journal.path}' has another ground truth than the results file beside it.")
    columns = [
        replace(column, values=column.values + tuple(values[position] for values in new.values()))
        for position, column in enumerate(results.ground_truth)
    ]
    parts = [replace(part, records=part.records + (PENDING,) * len(new)) for part in results.evaluators]
    arch_ids = results.arch_ids + tuple(new)
    return replace(results, arch_ids=arch_ids, ground_truth=tuple(columns), evaluators=tuple(parts))
