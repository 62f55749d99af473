"""Looks at the calls of torch's functions while a network runs.

A call is seen whether a module or a function made it, so no evaluator depends on the names or classes of a network's
layers. A function that is called by another of its names, such as the operator ``torch.ops.aten.conv2d``, is seen as
the one of torch. A call that another function makes inside itself is not seen, but for those of multi-head attention,
nor are those that the observer makes. What ``torch.compile`` made runs as it was written; TorchScript, which shows no
calls, is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, NoReturn
from unittest.mock import patch

import torch
from torch import Tensor
from torch._C._functorch import is_batchedtensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ...core.errors import EvaluationError


def _opened(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a Python function of torch without its check for modes, so that a mode sees the calls that it makes."""
    assert isinstance(function, FunctionType)
    names = {**function.__globals__, "has_torch_function": lambda _: False}
    opened = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    opened.__kwdefaults__ = function.__kwdefaults__
    return opened


_OPENED = {functional.multi_head_attention_forward: _opened(functional.multi_head_attention_forward)}
"""Functions that call layers; without the check for modes."""


OWN_BACKWARD_PASS = (
    "the network has a layer with a backward pass of its own (torch.autograd.Function), inside which gradients are not "
    "seen: call the functions of torch.nn.functional"
)

MAPPED = (
    "the network has layers inside torch.func.vmap, where it is not seen which axis counts the images: give the layers "
    "all images at once"
)


class _OwnFunctions:
    depth = 0


def inside_own_function() -> bool:
    """Return whether what runs is the forward pass of a ``torch.autograd.Function``."""
    return _OwnFunctions.depth > 0


def _counted_apply(cls: type[torch.autograd.Function], *args: Any, **named: Any) -> Any:
    _OwnFunctions.depth += 1
    try:
        return _APPLY(cls, *args, **named)
    finally:
        _OwnFunctions.depth -= 1


_APPLY: Callable[..., Any] = torch.autograd.Function.__dict__["apply"].__func__


@dataclass(frozen=True)
class Call:
    """One call that was intercepted; calling it makes it.

    Attributes:
        function: What is called, such as ``torch.nn.functional.conv2d``.
        args: Its arguments by position.
        kwargs: Its arguments by name.
    """

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]

    def __call__(self) -> Any:
        """Make the call and return what it returns."""
        return self.function(*self.args, **self.kwargs)

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument, given by position or by name."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)

    def with_argument(self, position: int, name: str, value: Any) -> Call:
        """Return the same call with another argument, by position if that is how it was given."""
        if len(self.args) > position:
            return replace(self, args=(*self.args[:position], value, *self.args[position + 1 :]))
        return replace(self, kwargs={**self.kwargs, name: value})


def is_mapped(call: Call) -> bool:
    """Return whether a call is inside ``torch.func.vmap``, where tensors do not show the axis that is mapped over."""
    values = (*call.args, *call.kwargs.values())
    return any(isinstance(value, Tensor) and is_batchedtensor(value) for value in values)


def refuse_mapped(call: Call) -> None:
    """Refuse a call inside ``torch.func.vmap``.

    Raises:
        EvaluationError: It is inside.
    """
    if is_mapped(call):
        raise EvaluationError(MAPPED)


_CONVOLUTIONS = {3: functional.conv1d, 4: functional.conv2d, 5: functional.conv3d}
"""By the number of dimensions of their weights."""


def _canonical(call: Call) -> Call:
    """Return a call of an operator, or of the function behind all convolutions, as one of a function with a name."""
    function = call.function
    if isinstance(function, torch._ops.OpOverload | torch._ops.OpOverloadPacket):
        packet: Any = getattr(function, "overloadpacket", function)
        path: str = packet._qualified_op_name
        name = path.removeprefix("aten::")
        named = getattr(torch, name, None) or getattr(torch._C._nn, name, None)
        return _canonical(replace(call, function=named)) if path != name and named is not None else call
    if function is torch.convolution and not call.kwargs and not call.args[6]:
        images, weight, bias, stride, padding, dilation, _, _, groups = call.args
        return Call(_CONVOLUTIONS[weight.dim()], (images, weight, bias, stride, padding, dilation, groups), {})
    return call


def _refuse_script(*_args: Any, **_named: Any) -> NoReturn:
    raise EvaluationError("the network runs TorchScript, whose layers are not seen: leave it as Python")


def _written_code() -> AbstractContextManager[Any]:
    """Let what ``torch.compile`` made run as it was written."""
    # Nothing can have been compiled before the compiler is imported, which takes a second.
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


class _Mode(TorchFunctionMode):
    def __init__(self, observer: Callable[[Call], Any]) -> None:
        super().__init__()
        self._observer = observer

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _OPENED:
            with self:
                return _OPENED[func](*args, **(kwargs or {}))
        return self._observer(_canonical(Call(func, args, kwargs or {})))


@contextmanager
def observe_calls(observer: Callable[[Call], Any]) -> Iterator[None]:
    """Give every call to ``observer``, which makes it and returns what the network goes on with.

    Observers nest: what the inner one makes, the outer one sees.

    Raises:
        EvaluationError: TorchScript runs, whose calls are not seen.
    """
    with (
        patch.object(torch._C.ScriptFunction, "__call__", _refuse_script),
        patch.object(torch._C.ScriptMethod, "__call__", _refuse_script),
        patch.object(torch.autograd.Function, "apply", classmethod(_counted_apply)),
        _written_code(),
        _Mode(observer),
    ):
        yield
