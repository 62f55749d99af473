"""The evaluators of a results file: what each one was, and what became of its jobs, as columns."""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np
import numpy.typing as npt

from ...domain import Direction
from ...hdf5.stored import StoredArray, StoredGroup
from ...hdf5.writing import create_group, write_attributes
from ...plan import EvaluatorHeader
from ..contents import EvaluatorResults
from ..records import CODES, SECONDS_PARTS, Codes, Records
from ..validity import check_records
from .arrays import (
    read_encoded,
    read_numbers,
    read_rows,
    read_texts,
    read_whole_numbers,
    write_encoded,
    write_numbers,
    write_prose,
)
from .encoding import (
    Encoding,
    as_json,
    by_position,
    member_name,
    read_json_object,
    read_json_text_object,
    read_text,
    read_whole_number,
)

ENCODING = Encoding("nasbench-evaluators", 1)
EVALUATOR = Encoding("nasbench-evaluator", 4)
NAME = "evaluators"

NO_TRACEBACK = -1


def write_evaluators(file: h5py.Group, evaluators: Sequence[EvaluatorResults]) -> None:
    """Write evaluators in their order."""
    group = create_group(file, NAME)
    ENCODING.mark(group)
    several = len({part.seed for part in evaluators}) > 1
    for position, part in enumerate(evaluators):
        label = f"{part.header.label}-seed{part.seed}" if several else part.header.label
        member = create_group(group, member_name(group, label))
        EVALUATOR.mark(member)
        _write_header(member, position, part.header)
        write_attributes(member, seed=part.seed)
        _write_records(member, part.records)


def read_evaluators(file: StoredGroup, count: int) -> tuple[EvaluatorResults, ...]:
    """Return the evaluators, with ``count`` records each."""
    group = file.group(NAME)
    ENCODING.check(group)
    return tuple(_read_evaluator(member, count) for member in by_position(group.groups()))


def _read_evaluator(group: StoredGroup, count: int) -> EvaluatorResults:
    EVALUATOR.check(group)
    return EvaluatorResults(_read_header(group), _read_records(group, count), read_whole_number(group.attrs, "seed"))


def _write_header(group: h5py.Group, position: int, header: EvaluatorHeader) -> None:
    write_attributes(
        group,
        label=header.label,
        position=position,
        name=header.name,
        direction=str(header.direction),
        version=header.version,
        settings=as_json(header.settings),
        settings_hash=header.settings_hash,
        distribution=header.distribution,
    )


def _read_header(group: StoredGroup) -> EvaluatorHeader:
    attrs = group.attrs
    return EvaluatorHeader(
        label=read_text(attrs, "label"),
        name=read_text(attrs, "name"),
        direction=Direction(read_text(attrs, "direction")),
        version=read_whole_number(attrs, "version"),
        settings=read_json_object(attrs, "settings"),
        settings_hash=read_text(attrs, "settings_hash"),
        distribution=read_text(attrs, "distribution"),
    )


def _write_records(group: h5py.Group, records: Records) -> None:
    write_attributes(group, batches=as_json(records.batches))
    write_numbers(group, "score", records.scores)
    write_encoded(group, "status", np.array(list(CODES), "S")[records.statuses])
    write_prose(group, "message", records.messages.tolist())
    _write_tracebacks(group, records.tracebacks)
    for position, part in enumerate(SECONDS_PARTS):
        write_numbers(group, f"seconds_{part}", records.seconds[:, position])
    write_numbers(group, "peak_memory", records.peak_memory)
    curves = create_group(group, "curves")
    for name, rows in records.curves.items():
        write_attributes(write_numbers(curves, member_name(curves, name), rows), name=name)


def _read_records(group: StoredGroup, count: int) -> Records:
    seconds = [read_numbers(group.array(f"seconds_{part}"), count) for part in SECONDS_PARTS]
    curves = {read_text(array.attrs, "name"): read_rows(array, count) for array in group.group("curves").arrays()}
    records = Records(
        statuses=_read_statuses(group.array("status"), count),
        scores=read_numbers(group.array("score"), count),
        messages=_read_messages(group.array("message"), count),
        tracebacks=_read_tracebacks(group, count),
        seconds=np.stack(seconds, axis=1),
        peak_memory=read_numbers(group.array("peak_memory"), count),
        curves=dict(sorted(curves.items())),
        batches=read_json_text_object(group.attrs, "batches"),
    )
    check_records(group.name, records)
    return records


def _read_statuses(array: StoredArray, count: int) -> Codes:
    encoded, unknown = read_encoded(array, count), len(CODES)
    codes = np.full(count, unknown, np.uint8)
    for status, code in CODES.items():
        codes[encoded == status.encode()] = code
    if unknown in codes:
        name = encoded[codes.tolist().index(unknown)].decode()
        raise ValueError(f"'{array.name}' has the status {name!r}")
    return codes


def _read_messages(array: StoredArray, count: int) -> npt.NDArray[np.object_]:
    encoded = read_encoded(array, count)
    messages = np.full(count, "", object)
    given = np.flatnonzero(encoded != b"")
    messages[given] = [text.decode() for text in encoded[given].tolist()]
    return messages


def _write_tracebacks(group: h5py.Group, tracebacks: npt.NDArray[np.object_]) -> None:
    """Write each traceback once, since one fault fails many jobs, and for each row which is its own."""
    distinct = sorted(set(tracebacks.tolist()) - {""})
    positions = {text: position for position, text in enumerate(distinct)}
    write_prose(group, "traceback", distinct)
    rows = [positions.get(text, NO_TRACEBACK) for text in tracebacks.tolist()]
    write_numbers(group, "traceback_of", np.array(rows, np.int64))


def _read_tracebacks(group: StoredGroup, count: int) -> npt.NDArray[np.object_]:
    texts = [*read_texts(group.array("traceback")), ""]
    rows = np.array(read_whole_numbers(group.array("traceback_of"), count), np.int64)
    if rows.size and not (rows.min() >= NO_TRACEBACK and rows.max() < len(texts) - 1):
        raise ValueError(f"'{group.name}' names a traceback that it does not have")
    return np.array(texts, object)[rows]
