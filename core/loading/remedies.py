"""Why a plugin was left out, and what its user can do."""

from __future__ import annotations

import importlib.metadata
import re
from types import ModuleType

from ..errors import PluginError
from .entry_points import OWN_DISTRIBUTION, OWN_PACKAGE
from .faults import describe_error

_UNKNOWN_FIELD = re.compile(r"(\w+Info)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def why_left_out(error: BaseException) -> str:
    """Return cause and remedy of what a plugin raised while it was loaded, without a full stop at the end."""
    if isinstance(error, PluginError):
        return str(error)
    return f"{describe_error(error).rstrip('.')}. {_remedy(error)}"


def _remedy(error: BaseException) -> str:
    missing = _missing_here(error)
    if missing:
        return (
            f"This version of {OWN_DISTRIBUTION}, {importlib.metadata.version(OWN_DISTRIBUTION)}, has no {missing}: "
            f"upgrade {OWN_DISTRIBUTION}, or install an older version of the plugin"
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"Install what provides '{error.name}', or uninstall the plugin"
    return "Tell its authors, or uninstall it"


def _missing_here(error: BaseException) -> str:
    """Return what a plugin for a newer version looks for in this one, in words; an empty text if that is not it."""
    field = _UNKNOWN_FIELD.search(str(error)) if isinstance(error, TypeError) else None
    if field:
        return f"'{field[2]}' in {field[1]}"
    if isinstance(error, ModuleNotFoundError) and _is_ours(error.name):
        return f"module '{error.name}'"
    if isinstance(error, ImportError) and _is_ours(error.name):
        name = re.search(r"cannot import name '(\w+)'", str(error))
        return f"'{name[1]}'" if name else ""
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType) and _is_ours(error.obj.__name__):
        return f"'{error.name}'"
    return ""


def _is_ours(module: str | None) -> bool:
    return module is not None and (module == OWN_PACKAGE or module.startswith(f"{OWN_PACKAGE}."))
