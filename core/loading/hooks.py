"""Which hooks a plugin implements, and what they return."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import pluggy

from ..errors import PluginError

InfoT = TypeVar("InfoT")

# Of one hook; more are a loop without an end.
MOST_INFOS = 10_000

# Higher than for other names: all hooks begin alike.
MISSPELT = 0.85


@dataclass(frozen=True)
class ImplementedHooks:
    """What a plugin's marked functions are for.

    Attributes:
        known: Hooks that this version has, each once.
        unknown: Hooks that it does not have, without those marked ``optionalhook``.
    """

    known: tuple[str, ...]
    unknown: tuple[str, ...]


def find_hooks(plugin: object, manager: pluggy.PluginManager, hooks: Collection[str]) -> ImplementedHooks:
    """Return the hooks that a plugin implements, under their own names or by ``specname``.

    Args:
        plugin: Module or object.
        manager: Reads the marks of the plugin's functions.
        hooks: The hooks that this version has.

    Raises:
        PluginError: A function has the name of a hook and no mark, takes arguments, or wraps a hook.
    """
    known, unknown = [], []
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            if name in hooks and callable(getattr(plugin, name)):
                raise PluginError(f"its function '{name}' is not marked with @hookimpl: put the mark above it")
            continue
        hook = options.get("specname") or name
        if hook not in hooks:
            unknown += [] if options.get("optionalhook") else [hook]
            continue
        if options.get("wrapper") or options.get("hookwrapper"):
            raise PluginError(f"its function '{name}' wraps the hook '{hook}', which is asked of each plugin alone")
        _refuse_arguments(name, getattr(plugin, name))
        known.append(hook)
    return ImplementedHooks(tuple(dict.fromkeys(known)), tuple(dict.fromkeys(unknown)))


def describe_unknown_hooks(unknown: Collection[str], hooks: Collection[str]) -> str:
    """Say that this version does not have these hooks, and which ones of its own look meant where one is misspelt."""
    guesses = [guess for hook in unknown for guess in difflib.get_close_matches(hook, hooks, n=1, cutoff=MISSPELT)]
    hint = f" Did you mean {' and '.join(map(repr, guesses))}?" if guesses else ""
    return f"This version of nasbench-toolkit has no hook {' and '.join(map(repr, unknown))}.{hint}"


def check_infos(hook: str, kind: type[InfoT], returned: object) -> list[InfoT]:
    """Return the descriptions that a hook returned.

    Args:
        hook: Name of the hook.
        kind: What it is to return.
        returned: What it returned.

    Raises:
        PluginError: It is something else.
    """
    if isinstance(returned, kind):
        raise PluginError(
            f"its hook '{hook}' returned one {kind.__name__} where several are expected: 'yield' it, or return a list"
        )
    if not isinstance(returned, Iterable):
        raise PluginError(
            f"its hook '{hook}' returned {type(returned).__name__}, expected {kind.__name__} objects: 'yield' each, or "
            "return a list"
        )
    infos = list(islice(returned, MOST_INFOS + 1))
    if len(infos) > MOST_INFOS:
        raise PluginError(f"its hook '{hook}' yielded more than {MOST_INFOS:,} descriptions: let it come to an end")
    for info in infos:
        if not isinstance(info, kind):
            raise PluginError(f"its hook '{hook}' yielded {type(info).__name__}, expected {kind.__name__}")
    return infos


def _refuse_arguments(name: str, function: object) -> None:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [item.name for item in parameters if item.default is item.empty and item.kind not in variable]
    if required:
        raise PluginError(f"its hook '{name}' takes {', '.join(required)}: hooks are called without arguments")
