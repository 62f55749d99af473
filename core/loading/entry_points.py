"""The plugins that installed distributions name, and which of them the user wants."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import NoReturn

from ..errors import PluginError
from ..plain_text import printable

ENTRY_POINT_GROUP = "nasbench"

OWN_DISTRIBUTION = "nasbench-toolkit"
OWN_PACKAGE = __name__.partition(".")[0]

ENVIRONMENT_VARIABLE = "NASBENCH_PLUGINS"
"""Names, separated by commas, of the entry points to load; built-ins are loaded as well. All are if it is not set."""


@dataclass(frozen=True)
class FoundPlugin:
    """A plugin that a distribution names.

    Attributes:
        name: Name of the entry point.
        distribution: Distribution and version, as in ``nasbench-toolkit 0.1.0``.
        built_in: Whether it comes with the toolkit.
        path: Module or object that it names.
        load: Imports it.
    """

    name: str
    distribution: str
    built_in: bool
    path: str
    load: Callable[[], object]


def find_plugins() -> list[FoundPlugin]:
    """Return every plugin of this environment, built-ins first and then by name.

    What is wrong with the metadata of a plugin is raised by its ``load``; that of others does not matter.
    """
    # An environment may list a distribution twice, as where an editable one is found on two paths.
    found = {(plugin.name, plugin.path, plugin.distribution): plugin for plugin in _found()}
    return sorted(found.values(), key=lambda plugin: (not plugin.built_in, plugin.name, plugin.distribution))


def chosen_plugins() -> frozenset[str] | None:
    """Return the names that the user wants beside the built-ins, None if all."""
    given = os.environ.get(ENVIRONMENT_VARIABLE)
    if given is None:
        return None
    return frozenset(name.strip() for name in given.split(",") if name.strip())


def _found() -> Iterator[FoundPlugin]:
    try:
        points = list(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP))
    except Exception:
        # One distribution's file that cannot be read hides those of all others.
        for distribution in importlib.metadata.distributions():
            yield from _found_in(distribution)
    else:
        yield from map(_describe, points)


def _found_in(distribution: Distribution) -> Iterator[FoundPlugin]:
    try:
        yield from map(_describe, distribution.entry_points.select(group=ENTRY_POINT_GROUP))
    except Exception as error:
        if f"[{ENTRY_POINT_GROUP}]".encode() in _raw_entry_points(distribution):
            problem = f"its entry_points.txt cannot be read ({type(error).__name__}): write one 'name = module' a line"
            name, full_name = _names_of(distribution)
            yield FoundPlugin(name, full_name, False, "", partial(_refuse, problem))


def _describe(point: EntryPoint) -> FoundPlugin:
    name, distribution = _names_of(point.dist) if point.dist else ("", "an unknown distribution")
    built_in = name == OWN_DISTRIBUTION and point.value.startswith(f"{OWN_PACKAGE}.")
    return FoundPlugin(printable(point.name), distribution, built_in, point.value, partial(_load, point))


def _load(point: EntryPoint) -> object:
    if not EntryPoint.pattern.match(point.value):
        _refuse(f"its entry point is '{printable(point.value)}', which is no import path such as 'package.module'")
    return point.load()


def _refuse(problem: str) -> NoReturn:
    raise PluginError(f"{problem}; correct it in the plugin's pyproject.toml, and install the plugin again")


def _names_of(distribution: Distribution) -> tuple[str, str]:
    """Return the name of a distribution, and name and version, from its folder's name where its metadata lacks them."""
    folder_name, _, folder_version = _folder(distribution).name.removesuffix(".dist-info").partition("-")
    try:
        # Read once: each look at it parses the whole file, long description included.
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
    except Exception:
        name, version = None, None
    name = printable(str(name or folder_name or "a distribution without a name"))
    return name, f"{name} {printable(str(version or folder_version or 'of unknown version'))}"


def _folder(distribution: Distribution) -> Path:
    # There is no public way to it.
    return Path(str(getattr(distribution, "_path", "")))


def _raw_entry_points(distribution: Distribution) -> bytes:
    try:
        return (_folder(distribution) / "entry_points.txt").read_bytes()
    except OSError:
        return b""
