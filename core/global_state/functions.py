"""The functions and methods that scores are made with, so that one that an evaluator replaces is put back."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from types import ModuleType
from typing import Any

from .parts import Part

# Modules of the engine by their names below ``core``.
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

# Modules of libraries, and packages with all that is loaded below them; of the latter the classes too.
LIBRARIES = ("math", "random", "numpy", "torch", "torch.nn", "torch.autograd")
PACKAGES = (
    "torch.autograd.function",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.modules",
    "torch.nn.parameter",
    "torch.nn.utils",
    "torch.optim",
)
CLASSES = ("torch:Tensor",)


def toolkit_parts() -> tuple[Part, ...]:
    """Return the functions and classes of the engine, with their methods, and those of libraries that are loaded."""
    core = __name__.rpartition(".global_state.")[0]
    modules = (sys.modules.get(f"{core}.{name}") for name in ENGINE)
    owners = [owner for module in modules if module is not None for owner in (module, *_classes_of(module))]
    return (*map(_functions_of, owners), _names_in(list(_library_owners())))


def _classes_of(module: ModuleType) -> Iterator[Any]:
    return (value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__)


def _library_owners() -> Iterator[Any]:
    """Yield the modules and classes of libraries, as far as they are loaded."""
    if "torch.optim" in sys.modules:
        _wrap_steps()
    yield from (sys.modules[name] for name in LIBRARIES if name in sys.modules)
    classes = (text.split(":") for text in CLASSES)
    yield from (getattr(sys.modules[module], name) for module, name in classes if module in sys.modules)
    for module in _modules_below(PACKAGES):
        yield module
        yield from dict.fromkeys(_classes_of(module))


def _modules_below(packages: Iterable[str]) -> list[ModuleType]:
    starts = tuple(f"{package}." for package in packages)
    return [
        module
        for name, module in sys.modules.items()
        if f"{name}.".startswith(starts) and isinstance(module, ModuleType)
    ]


def _wrap_steps() -> None:
    """Do what torch does to the class of an optimizer when the first one is made: it is no change by an evaluator."""
    for module in _modules_below(["torch.optim"]):
        for kind in _classes_of(module):
            if issubclass(kind, sys.modules["torch.optim"].Optimizer):
                kind.__new__(kind)._patch_step_function()


def _functions_of(owner: Any) -> Part:
    functions = {name: value for name, value in vars(owner).items() if _is_function(value)}
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


def _names_in(owners: Sequence[Any]) -> Part:
    """Return all names of modules and classes as one part.

    Thousands are looked at after every job: dictionaries compare themselves faster than any loop over them.
    """
    views = [vars(owner) for owner in owners]
    added: list[set[str]] = [set() for _ in owners]

    def write(kept: list[dict[str, Any]]) -> None:
        for owner, names, new in zip(owners, kept, added, strict=True):
            _put_names_back(owner, names, new)

    def keep(value: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [dict(names) for names in value]

    return Part("functions and classes of libraries", lambda: views, write, keep)


def _put_names_back(owner: Any, kept: dict[str, Any], added: set[str]) -> None:
    """Put back what names stood for, but for those that were not there before.

    A library loads parts of itself late, and nobody but who adds a name asks for it: such names, which are collected in
    ``added``, go on as they are.
    """
    for name in vars(owner).keys() - kept.keys():
        if _hides_another(owner, name):
            delattr(owner, name)
        else:
            added.add(name)
    for name in added:
        kept.pop(name, None)
    kept |= {name: vars(owner)[name] for name in added & vars(owner).keys()}
    for name, value in kept.items():
        if name not in vars(owner) or vars(owner)[name] is not value:
            setattr(owner, name, value)


def _hides_another(owner: Any, name: str) -> bool:
    """Whether others would find another thing under a name of a module or class if that one did not have it."""
    behind = owner.__mro__[1:] if isinstance(owner, type) else (builtins,)
    return any(name in vars(each) for each in behind)
