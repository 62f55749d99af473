"""Which types a setting may have, and whether a settings class keeps the rules; checked when its plugin is loaded."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from typing import Any, Literal

from ..errors import PluginError, closest_matches
from ..settings import METADATA, Settings, is_of_type, without_none

TYPES_THAT_WORK = (
    "Types that work: int, float, str, bool, Literal of texts, tuple[int, ...], tuple[float, ...], and any one of them "
    "| None."
)
_PLAIN = (int, float, str, bool)
_TUPLES = (tuple[int, ...], tuple[float, ...])


def check_settings_class(owner: str, settings_type: object) -> None:
    """Refuse a settings class that users could not give values for as its author means it.

    Args:
        owner: Whose settings they are, for messages, such as ``the evaluator 'depth'``.
        settings_type: The class.

    Raises:
        PluginError: It is no frozen dataclass, or a setting has a type, default or metadata that cannot work; the
            message names the setting and the remedy.
    """
    problem = _problem_of_class(settings_type)
    if problem:
        raise PluginError(f"The settings of {owner} {problem}")


@functools.cache
def _problem_of_class(settings_type: object) -> str | None:
    if not (isinstance(settings_type, type) and issubclass(settings_type, Settings)):
        return f"are {settings_type!r}: derive a frozen dataclass from Settings."
    if _is_undecorated(settings_type):
        return f"are the class {settings_type.__name__}, which is no dataclass: mark it with @dataclass(frozen=True)."
    try:
        hints = typing.get_type_hints(settings_type)
    except Exception as error:
        return (
            f"are the class {settings_type.__name__}, whose types cannot be read ({type(error).__name__}: {error}): "
            f"import what they name when the program runs. {TYPES_THAT_WORK}"
        )
    for field in dataclasses.fields(settings_type):
        problem = _problem_of_field(field, hints[field.name])
        if problem:
            return f"cannot be used: '{field.name}' {problem}"
    return _problem_of_suffixes(settings_type)


def _is_undecorated(settings_type: type[Settings]) -> bool:
    """Return whether a class declares settings of its own without being made a dataclass."""
    own = vars(settings_type)
    annotated = [name for name, hint in inspect.get_annotations(settings_type).items() if "ClassVar" not in str(hint)]
    declared = [name for name, value in own.items() if isinstance(value, dataclasses.Field)]
    return bool(annotated or declared) and "__dataclass_params__" not in own


def _problem_of_field(field: dataclasses.Field[Any], hint: Any) -> str | None:
    return (
        _problem_of_type(hint)
        or _problem_of_metadata(field, without_none(hint))
        or _problem_of_default(field, hint)
        or _problem_of_limits(field)
    )


def _problem_of_type(hint: Any) -> str | None:
    bare = without_none(hint)
    if bare in _PLAIN or bare in _TUPLES:
        return None
    if typing.get_origin(bare) is Literal and all(isinstance(choice, str) for choice in typing.get_args(bare)):
        return None
    return f"has the type {_type_name(hint)}, which no text can be read as. {TYPES_THAT_WORK}"


def _problem_of_metadata(field: dataclasses.Field[Any], hint: Any) -> str | None:
    unknown = sorted(field.metadata.keys() - METADATA)
    if unknown:
        matches = closest_matches(unknown[0], METADATA)
        return f"has the unknown metadata '{unknown[0]}'. {matches}Known are {', '.join(sorted(METADATA))}."
    limited = field.metadata.keys() & {"minimum", "maximum"}
    if limited and hint not in (int, float, *_TUPLES):
        return f"has a {sorted(limited)[0]}, and the type {_type_name(hint)}: only numbers have limits."
    return None


def _problem_of_default(field: dataclasses.Field[Any], hint: Any) -> str | None:
    if field.default is dataclasses.MISSING:
        return "has no default: declare it with setting(default, help)."
    if not is_of_type(field.default, hint):
        remedy = _remedy_for(field.default, hint)
        return f"has the type {_type_name(hint)} and the default {field.default!r}, which is none: {remedy}"
    return None


def _remedy_for(default: Any, hint: Any) -> str:
    if default is None:
        return f"give another, or write the type as {_type_name(hint)} | None."
    if without_none(hint) is float and type(default) is int:
        return f"write {float(default)}, so that it hashes like the same value given by a user."
    return "correct one of them."


def _problem_of_limits(field: dataclasses.Field[Any]) -> str | None:
    lowest, highest = field.metadata.get("minimum"), field.metadata.get("maximum")
    if lowest is not None and highest is not None and lowest > highest:
        return f"has a minimum of {lowest} above its maximum of {highest}."
    for value in field.default if isinstance(field.default, tuple) else (field.default,):
        if value is not None and lowest is not None and value < lowest:
            return f"has the default {field.default!r}, below its minimum of {lowest}."
        if value is not None and highest is not None and value > highest:
            return f"has the default {field.default!r}, above its maximum of {highest}."
    return None


def _problem_of_suffixes(settings_type: type[Settings]) -> str | None:
    suffixed = [field.name for field in dataclasses.fields(settings_type) if "name_suffix" in field.metadata]
    if len(suffixed) > 1:
        return f"cannot be used: {' and '.join(map(repr, suffixed))} both have a name_suffix, and only one can."
    return None


def _type_name(hint: Any) -> str:
    return hint.__name__ if type(hint) is type else str(hint).replace("typing.", "")
