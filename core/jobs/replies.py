"""What workers tell the main process: JSON, since unpickling what a plugin made would run its code here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain import Record
from ..results.journal import record_from_json, record_to_json

# The longest record has some megabytes of curves.
MAX_REPLY_BYTES = 2**26


@dataclass(frozen=True)
class WorkerReady:
    """Sent once, when the worker can take jobs."""


@dataclass(frozen=True)
class WorkerFailed:
    """Sent instead, when it cannot; ``reason`` says why."""

    reason: str


@dataclass(frozen=True)
class Reply:
    """The outcome of a job.

    Attributes:
        number: The number that came with the job.
        process: Process id of who sends it; an evaluator may have made a copy of the worker.
        record: The outcome.
        lost: What the job changed in the worker and cannot be put back; if there is any, the worker ends.
    """

    number: int
    process: int
    record: Record
    lost: tuple[str, ...] = ()


Message = WorkerReady | WorkerFailed | Reply


def encode(message: Message) -> bytes:
    """Return a message as bytes."""
    match message:
        case WorkerReady():
            content: dict[str, Any] = {"kind": "ready"}
        case WorkerFailed(reason):
            content = {"kind": "failed", "reason": reason}
        case Reply(number, process, record, lost):
            told = record_to_json((0, 0), record)
            content = {"kind": "reply", "number": number, "process": process, "record": told, "lost": lost}
    return json.dumps(content).encode()


def decode(content: bytes) -> Message:
    """Return the message. Raises ValueError if it is none."""
    try:
        return _decode(json.loads(content))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no message of a worker: {error}") from error


def _decode(told: Mapping[str, Any]) -> Message:
    if told["kind"] == "ready":
        return WorkerReady()
    if told["kind"] == "failed":
        return WorkerFailed(str(told["reason"]))
    record = record_from_json(told["record"])[1]
    return Reply(int(told["number"]), int(told["process"]), record, tuple(map(str, told["lost"])))
