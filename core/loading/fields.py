"""Whether the fields of a description have the types that they are declared with, looked at when its plugin is loaded.

A wrong one would show only in a command that uses it, and as a fault of whoever does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import PluginError

Expectation = tuple[Callable[[Any], bool], str]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _tuple_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(map(test, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


# By what the declaration says; fields declared otherwise are looked at where they are used.
_EXPECTATIONS: dict[str, Expectation] = {
    "str": (_is_text, "a text"),
    "str | None": (lambda value: value is None or _is_text(value), "a text or None"),
    "int": (_is_whole, "a whole number"),
    "bool": (lambda value: isinstance(value, bool), "True or False"),
    "tuple[str, ...]": (_tuple_of(_is_text), "a tuple of texts"),
    "tuple[float, ...]": (_tuple_of(_is_number), "a tuple of numbers"),
    "tuple[int, ...]": (_tuple_of(_is_whole), "a tuple of whole numbers"),
    "frozenset[type]": (lambda value: isinstance(value, frozenset | set), "a frozenset of capabilities"),
    "Mapping[str, str]": (
        lambda value: isinstance(value, Mapping) and all(map(_is_text, [*value, *value.values()])),
        "texts by name",
    ),
    "Callable[[SearchSpaceInfo, DatasetInfo], str | None]": (callable, "a function"),
    "SearchableSetting | None": (
        lambda value: value is None or type(value).__name__ == "SearchableSetting",
        "a SearchableSetting or None",
    ),
    "DatasetInfo | None": (
        lambda value: value is None or type(value).__name__ == "DatasetInfo",
        "a DatasetInfo or None",
    ),
    "tuple[OfficialFile, ...]": (
        _tuple_of(lambda value: type(value).__name__ == "OfficialFile"),
        "a tuple of OfficialFile objects",
    ),
}


def check_fields(subject: str, description: Any) -> None:
    """Refuse a description with a field of another type than it is declared with.

    Args:
        subject: What it describes, for messages, such as ``its evaluator 'depth'``.
        description: The description.

    Raises:
        PluginError: A field has another type, or a version is below 1; the message names field and remedy.
    """
    for field in dataclasses.fields(description):
        # A property that raises does so here, where its plugin is known.
        value = getattr(description, field.name)
        test, expected = _EXPECTATIONS.get(str(field.type), (None, ""))
        if test and not test(value):
            raise PluginError(f"{subject} has as '{field.name}' {value!r:.80}: give {expected}")
    if getattr(description, "version", 1) < 1:
        raise PluginError(f"{subject} has the version {description.version}: versions count from 1")
