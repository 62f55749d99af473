"""The functions and methods that scores are made with, so that one that an evaluator replaces is put back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from .parts import Part

# Modules of the engine by their names below ``core``, and libraries as a whole.
ENGINE = (
    "batches",
    "capabilities",
    "checked_evaluation",
    "context",
    "domain",
    "fingerprint",
    "global_state.parts",
    "global_state.state",
    "interfaces",
    "jobs.evaluation",
    "jobs.site",
    "seeding",
    "settings",
)
LIBRARIES = ("math", "random", "numpy", "torch", "torch.nn", "torch.nn.functional", "torch.nn.init")
CLASSES = ("torch:Tensor", "torch.nn:Module")


def toolkit_parts() -> tuple[Part, ...]:
    """Return the functions and classes of the engine, with their methods, and those of libraries that are loaded."""
    core = __name__.rpartition(".global_state.")[0]
    modules = [f"{core}.{name}" for name in ENGINE] + list(LIBRARIES)
    owners = [owner for name in modules if name in sys.modules for owner in _owners(sys.modules[name], core)]
    classes = (text.split(":") for text in CLASSES)
    owners += [getattr(sys.modules[module], name) for module, name in classes if module in sys.modules]
    return tuple(_functions_of(owner) for owner in owners)


def _owners(module: Any, core: str) -> Iterator[Any]:
    """Yield a module, and the classes that are defined in it if it is one of the engine's."""
    yield module
    if module.__name__.startswith(core):
        yield from (
            value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
        )


def _functions_of(owner: Any) -> Part:
    # Of a library the public ones: torch has as many others, and this is looked at after every job.
    inner = owner.__name__ in LIBRARIES
    functions = {
        name: value
        for name, value in vars(owner).items()
        if _is_function(value) and not (inner and name.startswith("_"))
    }
    names = tuple(functions) or ("__name__", "__doc__")
    read: Callable[[], Any] = lambda: get(vars(owner))  # noqa: E731
    get = itemgetter(*names)

    def write(kept: Any) -> None:
        for name, value in zip(names, kept if len(names) > 1 else [kept], strict=True):
            if vars(owner).get(name) is not value:
                setattr(owner, name, value)

    return Part(f"functions of {owner.__name__}", read, write)


def _is_function(value: object) -> bool:
    return callable(value) or isinstance(value, property | classmethod | staticmethod)
