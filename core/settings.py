"""Settings of evaluators and strategies: frozen dataclasses, parsed from text, hashed stably.

A settings class is a frozen dataclass that derives from :class:`Settings` and declares each field with
:func:`setting`. Field types may be ``int``, ``float``, ``str``, ``bool``, ``Literal[...]`` of texts,
``tuple[int, ...]`` and ``tuple[float, ...]`` (written ``0.25/0.5/1``), and any one of them ``| None``.
:mod:`.loading.setting_types` refuses everything else when a plugin is loaded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypedDict, Unpack

from .errors import InvalidSettingError, closest_matches
from .number_text import read_number

SETTINGS_HASH_LENGTH = 16

PRESET = "preset"
"""Name of the setting that decides others, where there is one: see :meth:`Settings.preset_values`."""

BATCH_SIZE = "batch_size"
"""Name of the setting that says how many inputs an evaluator draws: see :meth:`Settings.inputs_drawn`."""

MAX_INTEGER = 2**63 - 1
"""What a whole number may be at most, and its negative at least: results files store it in 64 bits."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of all settings; by itself the settings of something that has none."""

    def effective(self) -> dict[str, Any]:
        """Return the values that decide a score, by name; presets are resolved here so that they hash alike."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def inputs_drawn(self) -> int:
        """Return how many inputs of the data set an evaluator draws at once, for a run with fewer to be refused.

        By default the setting ``batch_size``, 0 where there is none such. To be overridden with 0 where that is another
        batch, such as one of noise, or one that may be as large as all inputs; with their number where it is a product.
        """
        size = self.effective().get(BATCH_SIZE)
        return size if isinstance(size, int) else 0

    @classmethod
    def preset_values(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return values of fields that are not given, where those that are, such as a preset, decide them."""
        return {}


class SettingMetadata(TypedDict, total=False):
    """What :func:`setting` may be told beside default and help.

    Attributes:
        minimum: Smallest value, inclusive; for a tuple that of each number.
        maximum: Largest value, likewise.
        reader: Turns the given text, such as a path, into the value that is stored.
        network_variant: The value names one of the search space's networks, and is refused where there is none such.
        metric: The value names a metric of the search space's ground truth, and is refused where there is none such.
            Where the user gives none, it is the one that the user named to compare with, if any.
        name_suffix: The value may be written behind the evaluator's name: with ``@ep``, ``cls@ep5`` means
            ``cls:epochs=5``.
        stopping_point: True where the value only says when to stop: an evaluation that stops later passes through the
            scores of one that stops earlier.
    """

    minimum: float
    maximum: float
    reader: Callable[[str], Any]
    network_variant: bool
    metric: bool
    name_suffix: str
    stopping_point: bool


METADATA = frozenset({"help", *SettingMetadata.__optional_keys__})
"""All that the metadata of a field may have."""


def setting(default: Any, help_text: str, **metadata: Unpack[SettingMetadata]) -> Any:
    """Declare a field of a settings class with its default, one sentence of help, and what else there is to know."""
    return dataclasses.field(default=default, metadata={"help": help_text, **metadata})


def settings_hash(version: int, settings: Settings) -> str:
    """Hash an evaluator's version and effective settings to 16 hexadecimal digits, stable across processes."""
    return _hash(version, settings.effective())


def _hash(version: int, values: Mapping[str, Any]) -> str:
    text = json.dumps([version, values], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:SETTINGS_HASH_LENGTH]


def course_hash(version: int, settings: Settings) -> str:
    """Hash version and effective settings without the stopping point: what is equal for two parts of one course."""
    stopping = {field.name for field in dataclasses.fields(settings) if field.metadata.get("stopping_point")}
    values = {name: value for name, value in settings.effective().items() if name not in stopping}
    return _hash(version, values)


def suffix_field(settings_type: type[Settings]) -> dataclasses.Field[Any] | None:
    """Return the field whose value may be written behind the evaluator's name, or None."""
    return next((field for field in dataclasses.fields(settings_type) if "name_suffix" in field.metadata), None)


def parse_settings(owner: str, settings_type: type[Settings], given: Mapping[str, str]) -> Settings:
    """Build settings from texts.

    Args:
        owner: Name of the evaluator or strategy, for messages.
        settings_type: Its settings class.
        given: Texts by field name, as typed by the user.

    Raises:
        InvalidSettingError: A field does not exist, a value cannot be read, is outside its range, or is refused by the
            settings class.
        TypeError: The settings class makes a value of another type than it declares.
    """
    fields = {field.name: field for field in dataclasses.fields(settings_type)}
    hints = typing.get_type_hints(settings_type)
    values = {}
    for name, text in given.items():
        if name not in fields:
            known = f"Its settings are: {', '.join(fields)}." if fields else "It has no settings."
            raise InvalidSettingError(f"'{owner}' has no setting '{name}'. {closest_matches(name, fields)}{known}")
        values[name] = _parse_field(owner, fields[name], hints[name], text)
    presets = settings_type.preset_values(values)
    for name in hints.keys() & presets.keys():
        _check_type(f"the preset of '{name}'", hints[name], presets[name])
    with _refusals_named(_subject(owner, given)):
        return settings_type(**{**presets, **values})


def change_settings(owner: str, settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings with other values, given as they are stored.

    Raises:
        InvalidSettingError: The settings class refuses them.
    """
    with _refusals_named(_subject(owner, values)):
        return dataclasses.replace(settings, **values)


def describe_settings(settings_type: type[Settings]) -> list[dict[str, str]]:
    """List name, type, default and help of every setting, in the order of their declaration."""
    hints = typing.get_type_hints(settings_type)
    return [
        {
            "name": field.name,
            "type": describe_type(hints[field.name]),
            "default": format_value(field.default),
            "help": field.metadata.get("help", ""),
        }
        for field in dataclasses.fields(settings_type)
    ]


def describe_type(hint: Any) -> str:
    """Return a type as a user reads it, such as ``official|paper`` or ``number, optional``."""
    if without_none(hint) is not hint:
        return f"{describe_type(without_none(hint))}, optional"
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(str(choice) for choice in typing.get_args(hint))
    names = {int: "integer", float: "number", bool: "true|false", str: "text"}
    if typing.get_origin(hint) is tuple:
        return f"{names[typing.get_args(hint)[0]]}s a/b/c"
    return names[hint]


def without_none(hint: Any) -> Any:
    """Return the one type that an optional type is a choice of beside None; any other type as it is."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint
    members = [member for member in typing.get_args(hint) if member is not type(None)]
    optional = len(members) == 1 and len(typing.get_args(hint)) == 2
    return members[0] if optional else hint


def is_of_type(value: Any, hint: Any) -> bool:
    """Return whether a value is what reading a text of this type would give."""
    if value is None:
        return without_none(hint) is not hint
    bare = without_none(hint)
    if typing.get_origin(bare) is typing.Literal:
        return value in typing.get_args(bare)
    if typing.get_origin(bare) is tuple:
        (kind, _) = typing.get_args(bare)
        return isinstance(value, tuple) and all(type(member) is kind for member in value)
    return type(value) is bare


def format_value(value: Any) -> str:
    """Write a value as a user types it."""
    if value is None:
        return ""
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, tuple):
        return "/".join(str(number) if isinstance(number, int) else f"{number:g}" for number in value)
    return str(value)


def _parse_field(owner: str, field: dataclasses.Field[Any], hint: Any, text: str) -> Any:
    subject = _subject(owner, [field.name])
    reader = field.metadata.get("reader")
    value = _read_with(reader, subject, field.name, hint, text) if reader else _parse_text(subject, hint, text)
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        _check_range(subject, field.metadata, number)
    return value


def _read_with(reader: Callable[[str], Any], subject: str, name: str, hint: Any, text: str) -> Any:
    with _refusals_named(subject):
        value = reader(text)
    _check_type(f"the reader of '{name}'", hint, value)
    return value


def _check_type(giver: str, hint: Any, value: Any) -> None:
    if not is_of_type(value, hint):
        raise TypeError(f"{giver} gave {type(value).__name__} {value!r:.80}, expected {describe_type(hint)}")


def _subject(owner: str, names: Iterable[str]) -> str:
    """Name settings for messages."""
    named = [f"'{name}'" for name in names]
    return " ".join([f"'{owner}'", "setting" if len(named) == 1 else "settings", ", ".join(named)]).rstrip()


@contextlib.contextmanager
def _refusals_named(subject: str) -> Iterator[None]:
    """Say whose settings are wrong where code of a plugin finds them so in the way of Python, or cannot open a file."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise InvalidSettingError(f"{subject}: {_reason(error).rstrip('.')}.") from error


def _reason(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"'{error.filename}': {error.strerror}"
    return str(error) or type(error).__name__


def _parse_text(subject: str, hint: Any, text: str) -> Any:
    hint = without_none(hint)
    if typing.get_origin(hint) is typing.Literal:
        choices = typing.get_args(hint)
        if text not in choices:
            raise InvalidSettingError(f"{subject} must be one of {', '.join(choices)}, got '{text}'.")
        return text
    if typing.get_origin(hint) is tuple:
        kind = typing.get_args(hint)[0]
        return tuple(_parse_number(subject, kind, part) for part in text.split("/"))
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise InvalidSettingError(f"{subject} must be true or false, got '{text}'.")
        return text.lower() == "true"
    if hint in (int, float):
        return _parse_number(subject, hint, text)
    return text


def _parse_number(subject: str, kind: type[int] | type[float], text: str) -> int | float:
    try:
        number = read_number(text, kind)
    except ValueError:
        noun = "a whole number" if kind is int else "a number"
        raise InvalidSettingError(f"{subject} must be {noun}, got '{text}'.") from None
    if isinstance(number, int) and abs(number) > MAX_INTEGER:
        raise InvalidSettingError(f"{subject} must be from -{MAX_INTEGER} to {MAX_INTEGER}, got '{text:.40}'.")
    if not math.isfinite(number):
        raise InvalidSettingError(f"{subject} must be finite, got '{text}'.")
    return number


def _check_range(subject: str, metadata: Mapping[str, Any], value: Any) -> None:
    if "minimum" in metadata and value is not None and value < metadata["minimum"]:
        raise InvalidSettingError(f"{subject} must be at least {metadata['minimum']}, got {value}.")
    if "maximum" in metadata and value is not None and value > metadata["maximum"]:
        raise InvalidSettingError(f"{subject} must be at most {metadata['maximum']}, got {value}.")
