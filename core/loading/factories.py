"""Import paths such as ``"package.module:Name"``, by which descriptions name what does the work.

When a plugin is loaded its paths are only looked at, without importing anything: listings stay quick. Whether the
module has the name shows when it is needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

from ..errors import PluginError, closest_matches
from ..global_state.state import global_state_kept
from .faults import describe_error, silent_process

_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")


def check_factory(subject: str, factory: object) -> None:
    """Refuse what can be neither called nor an import path.

    Args:
        subject: Whose factory it is, to begin the message with.
        factory: As given.

    Raises:
        PluginError: It cannot be a factory.
    """
    if not callable(factory) and not (isinstance(factory, str) and _PATH.fullmatch(factory)):
        raise PluginError(
            f"{subject} has the factory {factory!r}: give a class, or its import path as in 'package.module:Name'."
        )


def check_module(subject: str, factory: Callable[..., Any] | str) -> None:
    """Refuse an import path whose module does not exist, without importing the packages that it is in.

    Raises:
        PluginError: There is no such module.
    """
    if not isinstance(factory, str):
        return
    module = factory.partition(":")[0]
    if not _module_exists(module):
        raise PluginError(
            f"{subject} has the factory '{factory}', and there is no module '{module}': correct the path, or see to it "
            "that the distribution installs the module"
        )


def load_object(subject: str, factory: Callable[..., Any] | str) -> Callable[..., Any]:
    """Return an implementation, importing it if it was given as a path.

    Args:
        subject: What it is the factory of, to begin the message with.
        factory: The implementation or its import path.

    Raises:
        PluginError: The module cannot be imported, or has no such name.
    """
    if not isinstance(factory, str):
        return factory
    module_name, _, attribute = factory.partition(":")
    # What is there already changes nothing, and to make sure of that takes longer than all else.
    module = sys.modules.get(module_name) or _import(subject, module_name)
    if not hasattr(module, attribute):
        raise PluginError(
            f"{subject} cannot be loaded: the module '{module_name}' has no '{attribute}'. "
            f"{closest_matches(attribute, dir(module))}Correct 'factory' in its description, or tell its authors."
        )
    loaded: Callable[..., Any] = getattr(module, attribute)
    return loaded


def _import(subject: str, name: str) -> ModuleType:
    try:
        with silent_process(), global_state_kept():
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            f"{subject} cannot be loaded: importing '{name}' failed with {describe_error(error)}. "
            "Install what it needs, or tell its authors."
        ) from error


def _module_exists(name: str) -> bool:
    if name in sys.modules:
        return True
    found, *inner = name.split(".")
    try:
        spec = importlib.util.find_spec(found)
    except ValueError:
        # The package was put into sys.modules by hand and says nothing of where its modules are.
        return True
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return False
        found = f"{found}.{part}"
        spec = PathFinder.find_spec(found, spec.submodule_search_locations)
    return spec is not None
