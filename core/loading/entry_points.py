"""The plugins that installed distributions name, and which of them the user wants."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from dataclasses import dataclass

ENTRY_POINT_GROUP = "nasbench"

OWN_DISTRIBUTION = "nasbench-toolkit"

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
    """Return every plugin of this environment, built-ins first and then by name."""
    points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    # An environment may list a distribution twice, as where an editable one is found on two paths.
    found = {(plugin.name, plugin.path, plugin.distribution): plugin for plugin in map(_describe, points)}
    return sorted(found.values(), key=lambda plugin: (not plugin.built_in, plugin.name, plugin.distribution))


def chosen_plugins() -> frozenset[str] | None:
    """Return the names that the user wants beside the built-ins, None if all."""
    given = os.environ.get(ENVIRONMENT_VARIABLE)
    if given is None:
        return None
    return frozenset(name.strip() for name in given.split(",") if name.strip())


def _describe(point: importlib.metadata.EntryPoint) -> FoundPlugin:
    if point.dist is None:
        return FoundPlugin(point.name, "an unknown distribution", False, point.value, point.load)
    # Read once: each look at it parses the whole file, long description included.
    metadata = point.dist.metadata
    distribution = f"{metadata['Name']} {metadata['Version']}"
    return FoundPlugin(point.name, distribution, metadata["Name"] == OWN_DISTRIBUTION, point.value, point.load)
