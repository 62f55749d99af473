"""A forward pass as a list of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import UsageError


class UnsupportedNetworkError(UsageError):
    """A network that cannot be written as source; the message says what stands in the way."""


@dataclass(frozen=True)
class Name:
    """An expression that is a tensor: a variable, an input or its element, or a parameter such as ``self.scale``."""

    text: str


@dataclass(frozen=True)
class Call:
    """One line of a forward pass.

    Attributes:
        target: The function, or the expression for a submodule, such as `self.stages[0]`.
        arguments: Positional ones: names of tensors, literals, and lists, tuples and dictionaries of them.
        keywords: The others.
        outputs: Variables that the result is assigned to: one, or a tuple of them; None for an assignment to elements.
        constant: Whether the result is the same each time, and nothing is changed to get it.
    """

    target: Callable[..., Any] | str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    outputs: Any
    constant: bool = False


@dataclass
class Trace:
    """The forward pass of one module.

    Attributes:
        inputs: Parameters of the method, those that were tensors or had some in them, with their types.
        calls: What it does, in order.
        result: What it returns.
    """

    inputs: tuple[tuple[str, str], ...]
    calls: list[Call] = field(default_factory=list)
    result: Any = None


def without_unused_constants(trace: Trace) -> Trace:
    """Return a forward pass without the constants that nothing is made of, such as those that were only compared."""
    used = {name.text for name in _names(trace.result)}
    calls: list[Call] = []
    for call in reversed(trace.calls):
        if call.constant and not used & {name.text for name in _names(call.outputs)}:
            continue
        used |= {name.text for name in _names((call.arguments, call.keywords))}
        calls.append(call)
    return Trace(trace.inputs, calls[::-1], trace.result)


def _names(value: Any) -> Iterator[Name]:
    if isinstance(value, Name):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)
    elif isinstance(value, dict):
        yield from _names(tuple(value.values()))
    elif isinstance(value, slice):
        yield from _names((value.start, value.stop, value.step))
