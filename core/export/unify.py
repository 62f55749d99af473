"""Makes one forward pass of several that differ in the size of the batch, and in whether the network trains."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from .forward_pass import Call, Trace, UnsupportedNetworkError


class Symbol(Enum):
    """A number or truth value that is known only when the network runs."""

    BATCH = "batch"
    TRAINING = "self.training"


@dataclass(frozen=True)
class Forward:
    """A module's forward pass.

    Attributes:
        trace: In training, or always.
        evaluation: Out of training, where it is another one than can be told by single arguments.
    """

    trace: Trace
    evaluation: Trace | None = None


class _DifferentError(Exception):
    """Two passes are not the same up to symbols."""


def unify(training: tuple[Trace, Trace], evaluation: tuple[Trace, Trace] | None, batches: tuple[int, int]) -> Forward:
    """Return one forward pass.

    Args:
        training: In training, with batches of two sizes.
        evaluation: The same out of training; None if the module does not run then.
        batches: The two sizes.

    Raises:
        UnsupportedNetworkError: What is done depends on the size of the batch.
    """
    trained = _of_any_batch(training, batches)
    if evaluation is None:
        return Forward(trained)
    evaluated = _of_any_batch(evaluation, batches)
    try:
        return Forward(_unified_trace(trained, evaluated, {(True, False): Symbol.TRAINING}))
    except _DifferentError:
        return Forward(trained, evaluated)


def _of_any_batch(traces: tuple[Trace, Trace], batches: tuple[int, int]) -> Trace:
    try:
        return _unified_trace(*traces, {batches: Symbol.BATCH})
    except _DifferentError:
        raise UnsupportedNetworkError("what it does depends on the number of images in the batch") from None


def _unified_trace(first: Trace, second: Trace, symbols: dict[Any, Symbol]) -> Trace:
    if first.inputs != second.inputs or len(first.calls) != len(second.calls):
        raise _DifferentError
    pairs = zip(first.calls, second.calls, strict=True)
    calls = [_unified_call(one, other, symbols) for one, other in pairs]
    return Trace(first.inputs, calls, _unified(first.result, second.result, symbols))


def _unified_call(first: Call, second: Call, symbols: dict[Any, Symbol]) -> Call:
    if first.target != second.target or first.outputs != second.outputs:
        raise _DifferentError
    arguments = _unified(first.arguments, second.arguments, symbols)
    keywords = _unified(first.keywords, second.keywords, symbols)
    return Call(first.target, arguments, keywords, first.outputs)


def _unified(first: Any, second: Any, symbols: dict[Any, Symbol]) -> Any:
    """Return a value in which what differs is a symbol."""
    if type(first) is not type(second):
        raise _DifferentError
    if isinstance(first, list | tuple):
        if len(first) != len(second):
            raise _DifferentError
        items = [_unified(one, other, symbols) for one, other in zip(first, second, strict=True)]
        return items if isinstance(first, list) else tuple(items)
    if isinstance(first, dict):
        if first.keys() != second.keys():
            raise _DifferentError
        return {key: _unified(first[key], second[key], symbols) for key in first}
    if isinstance(first, slice):
        parts = ((first.start, second.start), (first.stop, second.stop), (first.step, second.step))
        return slice(*(_unified(one, other, symbols) for one, other in parts))
    if first == second:
        return first
    symbol = symbols.get((first, second))
    if symbol is None:
        raise _DifferentError
    return symbol
