"""Imports what an extra brings."""

from __future__ import annotations

import importlib
from types import ModuleType

from ...core.errors import UsageError


def import_extra(module: str, executor: str, extra: str) -> ModuleType:
    """Return a module. Raises UsageError, with how to install it, if it is not here."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"The executor '{executor}' needs '{module}', which is not installed: pip install "
            f"'nasbench-toolkit[{extra}]'."
        ) from error
