"""Reading GenNAS tasks from JSON; messages name the field, what came and what is allowed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ....core.errors import InvalidTaskError, closest_matches
from .task import (
    BASES,
    FREQUENCY_BANDS,
    MAP_SIZE,
    MAPS_TO_CHOOSE_FROM,
    MAX_CHANNELS,
    NOISE_KINDS,
    NUM_FREQUENCIES,
    NUM_STAGES,
    SCOPES,
    Noise,
    Signal,
    StageTask,
    Task,
)

MAX_FILE_BYTES = 1_000_000
"""A task with all signals is about 5 kB; what is much longer is some other file."""

T = TypeVar("T")


def read_task_file(file: str) -> Task:
    """Read a task from a JSON file.

    Raises:
        InvalidTaskError: The file cannot be read, is no JSON, or is no task.
    """
    path = Path(file)
    if not path.is_file():
        problem = "is a directory" if path.is_dir() else "does not exist" if not path.exists() else "is no file"
        raise InvalidTaskError(f"The GenNAS task '{file}' {problem}: give the path of a JSON file.")
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
        return parse_task(value)
    except InvalidTaskError as error:
        raise InvalidTaskError(f"The GenNAS task '{file}' is not valid: {error}") from error


def parse_task(value: object) -> Task:
    """Build a task from decoded JSON.

    Raises:
        InvalidTaskError: A field is missing, unknown or has a value that is not allowed; the message names
        its path.
    """
    fields = _object("task", value, ("name", "batch", "noise", "stages"), ("train_weights", "eval_weights"))
    noise = _object("noise", fields["noise"], ("kind", "level"))
    stages = _list("stages", fields["stages"], NUM_STAGES)
    return Task(
        name=_text("name", fields["name"]),
        batch=_integer("batch", fields["batch"], 1, 1024),
        noise=Noise(_choice("noise.kind", noise["kind"], NOISE_KINDS), _number("noise.level", noise["level"], 0, 1)),
        stages=tuple(_stage(f"stages[{index}]", stage) for index, stage in enumerate(stages)),
        train_weights=_optional(_stage_weights, "train_weights", fields),
        eval_weights=_optional(_stage_weights, "eval_weights", fields),
    )


def _stage(path: str, value: object) -> StageTask:
    fields = _object(path, value, ("channels", "signals"))
    channels = _integer(f"{path}.channels", fields["channels"], 1, MAX_CHANNELS)
    items = _list(f"{path}.signals", fields["signals"])
    signals = tuple(_signal(f"{path}.signals[{index}]", item) for index, item in enumerate(items))
    seen: set[str] = set()
    for index, signal in enumerate(signals):
        if signal.basis in seen:
            raise InvalidTaskError(
                f"{path}.signals[{index}].basis is a second '{signal.basis}': a stage has at most one signal "
                "of each basis."
            )
        seen.add(signal.basis)
        if channels > MAPS_TO_CHOOSE_FROM.get(signal.basis, MAX_CHANNELS):
            raise InvalidTaskError(
                f"{path}.channels must be at most {MAPS_TO_CHOOSE_FROM[signal.basis]} with basis "
                f"'{signal.basis}', got {channels}."
            )
    return StageTask(channels, signals)


def _signal(path: str, value: object) -> Signal:
    basis = _choice(f"{path}.basis", _object(path, value, ("basis",), None)["basis"], BASES)
    if basis == "resize":
        fields = _object(path, value, ("basis", "amp"))
        return Signal(basis, _number(f"{path}.amp", fields["amp"]))
    own_field = "freqs" if basis in ("sin1d", "sin2d") else "density"
    fields = _object(path, value, ("basis", "amp", "scope", own_field))
    return Signal(
        basis=basis,
        amp=_number(f"{path}.amp", fields["amp"]),
        scope=_choice(f"{path}.scope", fields["scope"], SCOPES),
        freqs=_optional(_frequencies, f"{path}.freqs", fields),
        # One pixel of 64: a dot map without a dot is zero, and a Gaussian dot map without one is 0/0.
        density=_optional(lambda at, q: _number(at, q, 1 / MAP_SIZE**2, 1), f"{path}.density", fields),
    )


def _frequencies(path: str, value: object) -> str | tuple[float, ...]:
    if isinstance(value, str):
        return _choice(path, value, FREQUENCY_BANDS)
    items = _list(path, value, NUM_FREQUENCIES, f" or one of {', '.join(FREQUENCY_BANDS)}")
    frequencies = tuple(_number(f"{path}[{index}]", item, 0, 0.5) for index, item in enumerate(items))
    if 0.0 in frequencies:
        raise InvalidTaskError(f"{path}[{frequencies.index(0.0)}] must be above 0 cycles per pixel, got 0.")
    return frequencies


def _stage_weights(path: str, value: object) -> tuple[float, ...]:
    items = _list(path, value, NUM_STAGES)
    weights = tuple(_number(f"{path}[{index}]", item, 0) for index, item in enumerate(items))
    if not any(weights):
        raise InvalidTaskError(f"{path} must have a weight above 0, got three zeros.")
    return weights


def _optional(read: Callable[[str, object], T], path: str, fields: Mapping[str, object]) -> T | None:
    """Read the field that ``path`` ends with, or return None where it is absent."""
    name = path.rpartition(".")[2]
    return read(path, fields[name]) if name in fields else None


def _object(
    path: str, value: object, required: Collection[str], optional: Collection[str] | None = ()
) -> Mapping[str, object]:
    """Check that ``value`` is an object with all ``required`` fields and, besides, only ``optional`` ones."""
    if not isinstance(value, dict):
        raise InvalidTaskError(f"{path} must be an object with {', '.join(required)}, got {_shown(value)}.")
    missing = [name for name in required if name not in value]
    allowed = [*required, *(optional or ())]
    unknown = [] if optional is None else [name for name in value if name not in allowed]
    if unknown:
        raise InvalidTaskError(
            f"{path} has an unknown field {_shown(unknown[0])}. {closest_matches(unknown[0], allowed)}"
            f"Its fields are {', '.join(allowed)}."
        )
    if missing:
        raise InvalidTaskError(f"{path} lacks the field '{missing[0]}'. Its fields are {', '.join(allowed)}.")
    return value


def _list(path: str, value: object, length: int | None = None, otherwise: str = "") -> Sequence[object]:
    expected = "a list" if length is None else f"a list of {length}{otherwise}"
    if not isinstance(value, list | tuple):
        raise InvalidTaskError(f"{path} must be {expected}, got {_shown(value)}.")
    if length is not None and len(value) != length:
        raise InvalidTaskError(f"{path} must be {expected}, got {len(value)} items.")
    return value


def _text(path: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidTaskError(f"{path} must be a text, got {_shown(value)}.")
    return value


def _choice(path: str, value: object, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        near = closest_matches(value, choices) if isinstance(value, str) else ""
        raise InvalidTaskError(f"{path} must be one of {', '.join(choices)}, got {_shown(value)}. {near}".rstrip())
    return value


def _integer(path: str, value: object, minimum: int, maximum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise InvalidTaskError(f"{path} must be a whole number from {minimum} to {maximum}, got {_shown(value)}.")
    return value


def _number(path: str, value: object, minimum: float = -math.inf, maximum: float = math.inf) -> float:
    """Check that ``value`` is a finite number within the limits, both inclusive."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not (minimum <= number <= maximum and abs(number) < 1e308):
        limits = [
            f"at least {minimum:g}" if math.isfinite(minimum) else "",
            f"at most {maximum:g}" if math.isfinite(maximum) else "",
        ]
        wanted = " and ".join(limit for limit in limits if limit) or "finite"
        raise InvalidTaskError(f"{path} must be a number, {wanted}, got {_shown(value)}.")
    return float(number)


def _shown(value: object) -> str:
    """Return a value as JSON, cut to a length that fits a message."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."
