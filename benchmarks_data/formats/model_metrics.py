"""The protocol buffer in which NAS-Bench-101 keeps what one training of a cell measured.

Two messages with scalar fields are all there is (``nasbench/lib/model_metrics.proto``), so their wire format is read
here rather than through the protobuf library: no dependency, and only the fields that are asked for are looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_DOUBLE = struct.Struct("<d")
_FIXED_WIDTHS = {1: 8, 5: 4}
_VARINT, _LENGTH_DELIMITED = 0, 2
_MAX_VARINT_BYTES = 10


class Evaluation(NamedTuple):
    """State of a network at one moment of its training; accuracies in ``[0, 1]``, None where a field is not set."""

    epoch: float | None
    training_seconds: float | None
    train_accuracy: float | None
    validation_accuracy: float | None
    test_accuracy: float | None


class ModelMetrics(NamedTuple):
    """What one training measured.

    Attributes:
        evaluations: Messages of the evaluations, in their order; ``decode_evaluation`` reads one.
        trainable_parameters: Number of trained scalars, None if not set.
    """

    evaluations: list[bytes]
    trainable_parameters: int | None


def decode_model_metrics(message: bytes) -> ModelMetrics:
    """Read a message ``ModelMetrics``.

    Raises:
        ValueError: It is not one.
    """
    evaluations: list[bytes] = []
    parameters: int | None = None
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes):
            evaluations.append(value)
        elif number == 2 and isinstance(value, int):
            parameters = value
    return ModelMetrics(evaluations, parameters)


def decode_evaluation(message: bytes) -> Evaluation:
    """Read a message ``EvaluationData``.

    Raises:
        ValueError: It is not one.
    """
    values: list[float | None] = [None] * len(Evaluation._fields)
    for number, value in _fields(message):
        if 1 <= number <= len(values) and isinstance(value, bytes) and len(value) == _DOUBLE.size:
            values[number - 1] = _DOUBLE.unpack(value)[0]
    return Evaluation(*values)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number of each field and its value, undecoded unless it is a variable-length integer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            integer, at = _varint(message, at)
            yield number, integer
            continue
        if kind == _LENGTH_DELIMITED:
            width, at = _varint(message, at)
        elif kind in _FIXED_WIDTHS:
            width = _FIXED_WIDTHS[kind]
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        if at + width > len(message):
            raise ValueError("a field goes beyond the end of its message")
        yield number, message[at : at + width]
        at += width


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the integer at a position, seven bits a byte with the lowest first, and the position after it."""
    if at < len(message) and message[at] < 0x80:
        return message[at], at + 1
    value = 0
    for index, byte in enumerate(message[at : at + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("an integer without an end")
