"""The evaluators of a results file: what each one was, and what became of its jobs, as columns."""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np
import numpy.typing as npt

from ...domain import Direction
from ...plan import EvaluatorHeader
from ..contents import EvaluatorResults
from ..records import CODES, SECONDS_PARTS, Codes, Records
from ..validity import check_records
from .arrays import read_encoded, read_numbers, read_rows, write_encoded, write_numbers, write_texts
from .encoding import (
    Encoding,
    as_json,
    by_position,
    group_name,
    read_json_object,
    read_json_text_object,
    read_text,
    read_whole_number,
)

ENCODING = Encoding("nasbench-evaluators", 1)
EVALUATOR = Encoding("nasbench-evaluator", 1)
NAME = "evaluators"


def write_evaluators(file: h5py.Group, evaluators: Sequence[EvaluatorResults]) -> None:
    """Write evaluators in their order."""
    group = file.create_group(NAME)
    ENCODING.mark(group)
    for position, part in enumerate(evaluators):
        member = group.create_group(group_name(part.header.label))
        EVALUATOR.mark(member)
        _write_header(member, position, part.header)
        _write_records(member, part.records)


def read_evaluators(file: h5py.Group, count: int) -> tuple[EvaluatorResults, ...]:
    """Return the evaluators, with ``count`` records each."""
    ENCODING.check(file[NAME])
    return tuple(_read_evaluator(group, count) for group in by_position(file[NAME]))


def _read_evaluator(group: h5py.Group, count: int) -> EvaluatorResults:
    EVALUATOR.check(group)
    return EvaluatorResults(_read_header(group), _read_records(group, count))


def _write_header(group: h5py.Group, position: int, header: EvaluatorHeader) -> None:
    group.attrs.update(
        label=header.label,
        position=position,
        name=header.name,
        direction=str(header.direction),
        version=header.version,
        settings=as_json(header.settings),
        settings_hash=header.settings_hash,
        distribution=header.distribution,
    )


def _read_header(group: h5py.Group) -> EvaluatorHeader:
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
    group.attrs["batches"] = as_json(records.batches)
    write_numbers(group, "score", records.scores)
    write_encoded(group, "status", np.array(list(CODES), "S")[records.statuses])
    write_texts(group, "message", records.messages.tolist())
    for position, part in enumerate(SECONDS_PARTS):
        write_numbers(group, f"seconds_{part}", records.seconds[:, position])
    curves = group.create_group("curves")
    for name, rows in records.curves.items():
        write_numbers(curves, name, rows)


def _read_records(group: h5py.Group, count: int) -> Records:
    seconds = [read_numbers(group[f"seconds_{part}"], count) for part in SECONDS_PARTS]
    records = Records(
        statuses=_read_statuses(group["status"], count),
        scores=read_numbers(group["score"], count),
        messages=_read_messages(group["message"], count),
        seconds=np.stack(seconds, axis=1),
        curves={name: read_rows(dataset, count) for name, dataset in group["curves"].items()},
        batches=read_json_text_object(group.attrs, "batches"),
    )
    check_records(group.name, records)
    return records


def _read_statuses(dataset: h5py.Dataset, count: int) -> Codes:
    encoded, unknown = read_encoded(dataset, count), len(CODES)
    codes = np.full(count, unknown, np.uint8)
    for status, code in CODES.items():
        codes[encoded == status.encode()] = code
    if unknown in codes:
        name = encoded[codes.tolist().index(unknown)].decode()
        raise ValueError(f"'{dataset.name}' has the status {name!r}")
    return codes


def _read_messages(dataset: h5py.Dataset, count: int) -> npt.NDArray[np.object_]:
    encoded = read_encoded(dataset, count)
    messages = np.full(count, "", object)
    given = np.flatnonzero(encoded != b"")
    messages[given] = [text.decode() for text in encoded[given].tolist()]
    return messages
