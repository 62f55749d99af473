"""Reading GenNAS tasks from JSON; messages name the field, what came and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ....core.input_files import check_input
from .errors import InvalidTaskError
from .signal_parser import read_noise, read_signals
from .task import (
    MAP_SIZE,
    MAPS_TO_CHOOSE_FROM,
    MAX_CHANNELS,
    MAX_LENGTH,
    NUM_STAGES,
    SEQUENCE_BASES,
    RecurrentTask,
    StageTask,
    Task,
)
from .task_fields import read_integer, read_list, read_number, read_object, read_optional, read_text

MAX_FILE_BYTES = 1_000_000
"""A task with all signals is about 5 kB; what is much longer is some other file."""

MAX_BATCH = 1024

TaskT = TypeVar("TaskT")


def read_task_file(file: str, parse: Callable[[object], TaskT]) -> TaskT:
    """Read a task from a JSON file.

    Args:
        file: Path of the file.
        parse: Builds the task from decoded JSON.

    Raises:
        InvalidTaskError: The file cannot be read, is no JSON, or is no task.
    """
    path = Path(file)
    check_input(path, "A GenNAS task is a JSON file: give its path.", error=InvalidTaskError)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidTaskError(f"The GenNAS task '{file}' cannot be read: {error.strerror}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise InvalidTaskError(f"The GenNAS task '{file}' is longer than {MAX_FILE_BYTES:,} bytes: is it a task?")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidTaskError(f"The GenNAS task '{file}' is not JSON: {error}.") from error
    try:
        return parse(value)
    except InvalidTaskError as error:
        raise InvalidTaskError(f"The GenNAS task '{file}' is not valid: {error}") from error


def parse_task(value: object) -> Task:
    """Build a task for networks with three stages from decoded JSON.

    Raises:
        InvalidTaskError: A field is missing, unknown or has a value that is not allowed; the message names
        its path.
    """
    fields = read_object("task", value, ("name", "batch", "noise", "stages"), ("train_weights", "eval_weights"))
    stages = read_list("stages", fields["stages"], NUM_STAGES)
    return Task(
        name=read_text("name", fields["name"]),
        batch=read_integer("batch", fields["batch"], 1, MAX_BATCH),
        noise=read_noise(fields["noise"]),
        stages=tuple(_stage(f"stages[{index}]", stage) for index, stage in enumerate(stages)),
        train_weights=read_optional(_stage_weights, "train_weights", fields),
        eval_weights=read_optional(_stage_weights, "eval_weights", fields),
    )


def parse_recurrent_task(value: object) -> RecurrentTask:
    """Build a task for recurrent networks from decoded JSON.

    Raises:
        InvalidTaskError: A field is missing, unknown or has a value that is not allowed; the message names
        its path.
    """
    fields = read_object("task", value, ("name", "batch", "noise", "dim", "length", "input", "target"))
    dim = read_integer("dim", fields["dim"], 1, MAX_CHANNELS)
    length = read_integer("length", fields["length"], 1, MAX_LENGTH)
    inputs, targets = (
        read_signals(side, fields[side], dim * length, SEQUENCE_BASES, ("local",)) for side in ("input", "target")
    )
    return RecurrentTask(
        name=read_text("name", fields["name"]),
        batch=read_integer("batch", fields["batch"], 1, MAX_BATCH),
        noise=read_noise(fields["noise"]),
        dim=dim,
        length=length,
        input=inputs,
        target=targets,
    )


def _stage(path: str, value: object) -> StageTask:
    fields = read_object(path, value, ("channels", "signals"))
    channels = read_integer(f"{path}.channels", fields["channels"], 1, MAX_CHANNELS)
    signals = read_signals(f"{path}.signals", fields["signals"], MAP_SIZE**2)
    for signal in signals:
        if channels > MAPS_TO_CHOOSE_FROM.get(signal.basis, MAX_CHANNELS):
            raise InvalidTaskError(
                f"{path}.channels must be at most {MAPS_TO_CHOOSE_FROM[signal.basis]} with basis "
                f"'{signal.basis}', got {channels}."
            )
    return StageTask(channels, signals)


def _stage_weights(path: str, value: object) -> tuple[float, ...]:
    items = read_list(path, value, NUM_STAGES)
    weights = tuple(read_number(f"{path}[{index}]", item, 0) for index, item in enumerate(items))
    if not any(weights):
        raise InvalidTaskError(f"{path} must have a weight above 0, got three zeros.")
    return weights
