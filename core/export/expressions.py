"""Calls and values of a forward pass as Python source."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.overrides import resolve_name

from .forward_pass import Call, Name, UnsupportedNetworkError
from .unify import Symbol

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "truediv": "/", "matmul": "@", "pow": "**", "floordiv": "//",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&", "or": "|",
}  # fmt: skip
_UNARY = {"__neg__": "-", "neg": "-", "__invert__": "~"}


class Writer:
    """Writes expressions of one forward method.

    Args:
        first_input: A tensor whose device is the network's.
        batch: Expression for the size of the batch.
    """

    def __init__(self, first_input: str, batch: str) -> None:
        self._device = f"{first_input}.device"
        self._batch = batch

    def value(self, value: Any) -> str:
        """Return a value as source.

        Raises:
            UnsupportedNetworkError: It is of a kind that has none.
        """
        match value:
            case Name():
                return value.text
            case Symbol.BATCH:
                return self._batch
            case Symbol.TRAINING:
                return "self.training"
            case tuple():
                inner = ", ".join(map(self.value, value))
                return f"({inner},)" if len(value) == 1 else f"({inner})"
            case list():
                return f"[{', '.join(map(self.value, value))}]"
            case dict():
                return "{" + ", ".join(f"{key!r}: {self.value(item)}" for key, item in value.items()) + "}"
            case torch.device():
                return self._device
            case float() if not math.isfinite(value):
                return f'float("{value}")'
            case str():
                return quoted(value)
            case bool() | int() | float() | None | torch.dtype() | torch.memory_format():
                return repr(value)
            case _ if value is Ellipsis:
                return "..."
            case slice():
                return f"slice({self.value(value.start)}, {self.value(value.stop)}, {self.value(value.step)})"
        raise UnsupportedNetworkError(f"a function gets {type(value).__name__} as an argument")

    def call(self, call: Call) -> str:
        """Return a call as source.

        Raises:
            UnsupportedNetworkError: The function is not one of PyTorch's.
        """
        if isinstance(call.target, str):
            return f"{call.target}({self._arguments(call.arguments, call.keywords)})"
        name = function_name(call.target)
        if name.startswith("torch.Tensor."):
            return self._method(name.removeprefix("torch.Tensor."), call)
        name = name.replace("torch.nn.functional.", "functional.")
        return f"{name}({self._arguments(call.arguments, call.keywords)})"

    def _method(self, method: str, call: Call) -> str:
        subject, *others = call.arguments
        receiver = self.value(subject)
        if method == "__setitem__":
            return f"{receiver}[{self._index(others[0])}] = {self.value(others[1])}"
        if method.endswith(".__get__"):
            return f"{receiver}.{method.removesuffix('.__get__')}"
        if method == "__getitem__":
            return f"{receiver}[{self._index(others[0])}]"
        if method in _UNARY and not others:
            return f"{_UNARY[method]}{receiver}"
        bare = method.strip("_").removeprefix("i" if method.startswith("__i") else "")
        if len(others) == 1 and not call.keywords and (operator := self._operator(method, bare)):
            left, right = receiver, self.value(others[0])
            return f"{right} {operator} {left}" if bare not in _BINARY else f"{left} {operator} {right}"
        return f"{receiver}.{method}({self._arguments(tuple(others), call.keywords)})"

    def _operator(self, method: str, bare: str) -> str | None:
        """Return the operator of a method that changes nothing in place, also of its reflected form."""
        if method.startswith("__i") or (method.endswith("_") and not method.endswith("__")):
            return None
        return _BINARY.get(bare) or (_BINARY.get(bare.removeprefix("r")) if method.startswith("__r") else None)

    def _index(self, index: Any) -> str:
        if isinstance(index, tuple) and index:
            return ", ".join(map(self._index, index))
        if isinstance(index, slice):
            parts = ["" if part is None else self.value(part) for part in (index.start, index.stop, index.step)]
            return ":".join(parts[:2]) + (f":{parts[2]}" if parts[2] else "")
        return self.value(index)

    def _arguments(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> str:
        named = [f"{name}={self.value(value)}" for name, value in keywords.items()]
        return ", ".join([*map(self.value, arguments), *named])


def quoted(text: str) -> str:
    """Return a text as source, in double quotes."""
    return json.dumps(text)


def function_name(function: Callable[..., Any]) -> str:
    """Return how a function of PyTorch is reached from ``torch``.

    Raises:
        UnsupportedNetworkError: It is not reached from there.
    """
    name: str | None = resolve_name(function)
    if name is None or not name.startswith("torch."):
        shown = getattr(function, "__qualname__", repr(function))
        raise UnsupportedNetworkError(f"it calls '{shown}', which is no public function of PyTorch")
    return name
