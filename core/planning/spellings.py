"""What users write to name an evaluator or a strategy: ``NAME``, or ``NAME:setting=value,setting=value``.

One setting of some evaluators may be written behind the name instead: ``cls@ep5`` is ``cls:epochs=5``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import UsageError
from ..plugin_manager import PluginManager
from ..settings import suffix_field


@dataclass(frozen=True)
class Spelling:
    """A name with settings, as a user wrote them.

    Attributes:
        text: All that was written, for messages.
        name: Name of the evaluator or strategy.
        settings: Texts by name of the setting.
    """

    text: str
    name: str
    settings: Mapping[str, str]

    def with_setting(self, setting: str, value: str) -> Spelling:
        """Return the spelling with one setting added or replaced."""
        settings = {**self.settings, setting: value}
        shown = ",".join(f"{key}={text}" for key, text in settings.items())
        return Spelling(f"{self.name}:{shown}", self.name, settings)


def split_name(text: str) -> tuple[str, str]:
    """Return the name that a text begins with, and what stands behind its colon."""
    name, _, rest = text.partition(":")
    return name, rest


def parse_spelling(text: str) -> Spelling:
    """Read a name with settings.

    Raises:
        UsageError: A setting has no value or is given twice.
    """
    name, rest = split_name(text)
    return Spelling(text, name, _parse_settings(text, rest, {}))


def parse_evaluator_spelling(text: str, plugins: PluginManager) -> Spelling:
    """Read an evaluator's name with settings, one of which may be part of the name.

    A name that no evaluator has is returned as it is.

    Raises:
        UsageError: A setting has no value or is given twice.
    """
    spelled, rest = split_name(text)
    name, in_name = _split_suffix(spelled, plugins)
    return Spelling(text, name, _parse_settings(text, rest, in_name))


def _split_suffix(spelled: str, plugins: PluginManager) -> tuple[str, dict[str, str]]:
    """Return the evaluator's name and the setting that is written behind it."""
    evaluators = plugins.evaluators()
    if spelled in evaluators:
        return spelled, {}
    for name, provided in evaluators.items():
        field = suffix_field(provided.info.settings)
        if field is not None and spelled.startswith(name + field.metadata["name_suffix"]):
            return name, {field.name: spelled.removeprefix(name + field.metadata["name_suffix"])}
    return spelled, {}


def _parse_settings(text: str, settings: str, in_name: Mapping[str, str]) -> dict[str, str]:
    given = dict(in_name)
    for part in filter(None, settings.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key in given:
            problem = "is given twice" if key in given else "has no '='"
            raise UsageError(
                f"Cannot read '{text}': '{part}' {problem}. Write settings as NAME:setting=value,setting=value."
            )
        given[key] = value
    return given
