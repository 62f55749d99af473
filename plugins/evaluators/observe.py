"""Looks at the calls of torch's functions while a network runs.

A call is seen whether a module or a function made it, so no evaluator depends on the names or classes of a network's
layers. A call that another function makes inside itself is not seen, but for those of multi-head attention, nor are
those that the observer makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from torch.nn import functional
from torch.overrides import TorchFunctionMode


def _opened(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a Python function of torch without its check for modes, so that a mode sees the calls that it makes."""
    assert isinstance(function, FunctionType)
    names = {**function.__globals__, "has_torch_function": lambda _: False}
    opened = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    opened.__kwdefaults__ = function.__kwdefaults__
    return opened


_OPENED = {functional.multi_head_attention_forward: _opened(functional.multi_head_attention_forward)}
"""Functions that call layers; without the check for modes."""


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
        return self._observer(Call(func, args, kwargs or {}))


@contextmanager
def observe_calls(observer: Callable[[Call], Any]) -> Iterator[None]:
    """Give every call to ``observer``, which makes it and returns what the network goes on with.

    Observers nest: what the inner one makes, the outer one sees.
    """
    with _Mode(observer):
        yield
