"""What a network does in one forward pass, module by module.

In each module of a class of its own, every call of a PyTorch function and of a submodule is noted with its arguments;
modules of ``torch.nn`` are not looked into. What depends on shapes is noted as the numbers that came out. What depends
on values cannot be noted: to ask for them is an error, unless they are those of constants.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from unittest import mock

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..errors import NasbenchError
from ..seeding import torch_generator
from .forward_pass import Trace, UnsupportedNetworkError, without_unused_constants
from .module_kinds import is_container, is_plain, is_sequence
from .scope import Scope, has_tensors

Traces: TypeAlias = dict[str, Trace]
"""The forward pass of each module of a class of its own, by its path in the network."""


def trace_network(network: nn.Module, shape: Sequence[int], *, training: bool) -> Traces:
    """Run a copy of a network once, and return what its modules did.

    Args:
        network: Takes one tensor.
        shape: Of this tensor.
        training: Whether to run it as in training.

    Raises:
        UnsupportedNetworkError: It looks at the values of tensors, or a module does different things at each call.
    """
    subject = copy.deepcopy(network).train(training)
    recorder = _Recorder(subject)
    inputs = torch.randn(tuple(shape), generator=torch_generator(0))
    try:
        with torch.random.fork_rng(devices=()), recorder.recording():
            subject(inputs)
    except NasbenchError:
        raise
    except Exception as error:
        raise UnsupportedNetworkError(
            f"it cannot be followed step by step: {type(error).__name__}: {error!s:.200}"
        ) from error
    return recorder.traces


class _Recorder(TorchFunctionMode):
    """Notes what happens in the innermost module of a class of its own."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.traces: Traces = {}
        self._paths = {id(module): path for path, module in network.named_modules()}
        # None while a module runs whose inner life is of no interest.
        self._scopes: list[Scope | None] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Follow the calls of modules and functions."""
        call, recorder = nn.Module.__call__, self

        def followed(module: nn.Module, *arguments: Any, **keywords: Any) -> Any:
            return recorder._call_module(call, module, arguments, keywords)

        with mock.patch.object(nn.Module, "__call__", followed), self:
            yield

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function, and note it."""
        kwargs = kwargs or {}
        scope = self._scopes[-1] if self._scopes else None
        if scope is not None:
            scope.check_look(func, args)
        result = func(*args, **kwargs)
        if scope is not None:
            scope.note(func, args, kwargs, result)
        return result

    def _call_module(self, call: Callable[..., Any], module: nn.Module, arguments: Any, keywords: Any) -> Any:
        caller = self._scopes[-1] if self._scopes else None
        if is_container(module) and not is_sequence(module):
            # What such a one does, if it is called at all, is written down where it is called.
            return call(module, *arguments, **keywords)
        if is_plain(module) or is_sequence(module):
            result = self._within(None, lambda: call(module, *arguments, **keywords))
            if caller is not None:
                caller.note(caller.expression_of(module), arguments, keywords, result)
            return result
        inputs = _tensor_inputs(module, arguments, keywords)
        scope = Scope(module, inputs)
        result = self._within(scope, lambda: call(module, *arguments, **keywords))
        scope.trace.result = scope.expressed(result)
        self._keep(module, without_unused_constants(scope.trace))
        if caller is not None:
            caller.note(caller.expression_of(module), tuple(inputs.values()), {}, result)
        return result

    def _within(self, scope: Scope | None, run: Callable[[], Any]) -> Any:
        self._scopes.append(scope)
        try:
            return run()
        finally:
            self._scopes.pop()

    def _keep(self, module: nn.Module, trace: Trace) -> None:
        path = self._paths.get(id(module))
        if path is None:
            raise UnsupportedNetworkError(f"a module of the class '{type(module).__name__}' is made while it runs")
        if self.traces.setdefault(path, trace) != trace:
            raise UnsupportedNetworkError(f"the module '{path}' does something else each time it is called")


def _tensor_inputs(module: nn.Module, arguments: Any, keywords: Any) -> dict[str, Any]:
    """Return those arguments of the forward method that are tensors, or have some in them, by parameter."""
    bound = inspect.signature(module.forward).bind(*arguments, **keywords)
    if any(
        bound.signature.parameters[name].kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        for name, value in bound.arguments.items()
        if has_tensors(value)
    ):
        raise UnsupportedNetworkError(f"the forward method of '{type(module).__name__}' takes any number of tensors")
    return {name: value for name, value in bound.arguments.items() if has_tensors(value)}
