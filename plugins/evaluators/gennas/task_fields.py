"""Checks of single fields of a GenNAS task; messages name the field, what came and what is allowed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from ....core.errors import closest_matches
from .errors import InvalidTaskError

T = TypeVar("T")


def read_optional(read: Callable[[str, object], T], path: str, fields: Mapping[str, object]) -> T | None:
    """Read the field that ``path`` ends with, or return None where it is absent."""
    name = path.rpartition(".")[2]
    return read(path, fields[name]) if name in fields else None


def read_object(
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


def read_list(path: str, value: object, length: int | None = None, otherwise: str = "") -> Sequence[object]:
    """Check that ``value`` is a list, of ``length`` items unless that is None."""
    expected = "a list" if length is None else f"a list of {length}{otherwise}"
    if not isinstance(value, list | tuple):
        raise InvalidTaskError(f"{path} must be {expected}, got {_shown(value)}.")
    if length is not None and len(value) != length:
        raise InvalidTaskError(f"{path} must be {expected}, got {len(value)} items.")
    return value


def read_text(path: str, value: object) -> str:
    """Check that ``value`` is a text and not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidTaskError(f"{path} must be a text, got {_shown(value)}.")
    return value


def read_choice(path: str, value: object, choices: Collection[str]) -> str:
    """Check that ``value`` is one of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        near = closest_matches(value, choices) if isinstance(value, str) else ""
        raise InvalidTaskError(f"{path} must be one of {', '.join(choices)}, got {_shown(value)}. {near}".rstrip())
    return value


def read_integer(path: str, value: object, minimum: int, maximum: int) -> int:
    """Check that ``value`` is a whole number within the limits, both inclusive."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise InvalidTaskError(f"{path} must be a whole number from {minimum} to {maximum}, got {_shown(value)}.")
    return value


def read_number(path: str, value: object, minimum: float = -math.inf, maximum: float = math.inf) -> float:
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
