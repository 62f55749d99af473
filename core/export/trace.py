"""What a network does in one forward pass, module by module.

In each module of a class of its own, every call of a PyTorch function and of a submodule is noted with its arguments;
modules of ``torch.nn`` are not looked into. What depends on shapes is noted as the numbers that came out. What depends
on values cannot be noted: to ask for them is an error, unless they are those of constants.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from unittest import mock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from ..errors import NasbenchError, UsageError
from ..seeding import torch_generator

# What tells the values of a tensor.
_LOOKING = {
    f"torch.Tensor.{name}"
    for name in ("__bool__", "__int__", "__float__", "__index__", "__array__", "item", "tolist", "numpy")
}
# What makes a tensor that is the same each time.
_CONSTANT = {f"torch.{name}" for name in ("tensor", "as_tensor", "arange", "zeros", "ones", "full", "eye")}


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


Traces: TypeAlias = dict[str, Trace]
"""The forward pass of each module of a class of its own, by its path in the network."""


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


def is_plain(module: nn.Module) -> bool:
    """Whether a module is of ``torch.nn`` itself, and no container."""
    return type(module).__module__.startswith("torch.nn.") and not is_container(module)


def is_sequence(module: nn.Module) -> bool:
    """Whether a module calls its children one after the other, as ``nn.Sequential`` does, and does nothing else."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def is_container(module: nn.Module) -> bool:
    """Whether a module only holds others, or parameters."""
    return is_sequence(module) or isinstance(
        module, nn.ModuleList | nn.ModuleDict | nn.ParameterList | nn.ParameterDict
    )


def attribute(module: nn.Module, path: str) -> str:
    """Return the expression for a submodule, parameter or buffer of a module, from its dotted path."""
    text, owner = "self", module
    for part in path.split(".") if path else ():
        if isinstance(owner, nn.Sequential | nn.ModuleList | nn.ParameterList) and part.isdigit():
            text += f"[{part}]"
        elif isinstance(owner, nn.ModuleDict | nn.ParameterDict):
            text += f"[{json.dumps(part)}]"
        else:
            text += f".{part}"
        owner = getattr(owner, part)
    return text


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


class _Scope:
    """The call of a module that is being followed."""

    def __init__(self, module: nn.Module, inputs: Mapping[str, Any]) -> None:
        self.trace = Trace(
            tuple((name, "Tensor" if isinstance(value, Tensor) else "list[Tensor]") for name, value in inputs.items())
        )
        self._names: dict[int, str] = {}
        self._constants: set[int] = set()
        self._kept_alive: list[Any] = []
        self._expressions = {id(child): attribute(module, path) for path, child in module.named_modules()}
        for path, tensor in (*module.named_parameters(), *module.named_buffers()):
            self._know(tensor, attribute(module, path))
        for name, value in inputs.items():
            self._know_all(value, name)
        self._variables = 0

    def expression_of(self, module: nn.Module) -> str:
        """Return how a submodule is reached. Raises UnsupportedNetworkError if it is none."""
        try:
            return self._expressions[id(module)]
        except KeyError:
            raise UnsupportedNetworkError(
                f"a module calls another, of the class '{type(module).__name__}', that is not registered in it"
            ) from None

    def note(self, target: Callable[..., Any] | str, arguments: Any, keywords: Any, result: Any) -> None:
        """Note a call, unless no tensor comes out of it, or it works on constants of the module alone."""
        used = list(_tensors((arguments, keywords)))
        assigns = target is Tensor.__setitem__
        if not (_has_tensors(result) or assigns) or (used and not any(id(tensor) in self._names for tensor in used)):
            return
        expressed = self.expressed(arguments), self.expressed(keywords)
        if assigns:
            self._constants.difference_update(map(id, used))
            self.trace.calls.append(Call(target, *expressed, None))
            return
        constant = not isinstance(target, str) and self._is_constant(resolve_name(target) or "", used)
        self.trace.calls.append(Call(target, *expressed, self._assigned(result), constant))
        if constant:
            self._constants.update(map(id, _tensors(result)))

    def _is_constant(self, function: str, used: Sequence[Tensor]) -> bool:
        """Whether a function of these tensors gives the same each time, and changes none of them."""
        if not used:
            return function in _CONSTANT
        return self._all_constant(used) and not (function.endswith("_") and not function.endswith("__"))

    def check_look(self, function: Callable[..., Any], arguments: Any) -> None:
        """Refuse a function that tells values which come from the input or from parameters.

        Raises:
            UnsupportedNetworkError: It does.
        """
        used = [tensor for tensor in _tensors(arguments) if id(tensor) in self._names]
        if not self._all_constant(used) and resolve_name(function) in _LOOKING:
            raise UnsupportedNetworkError("what it does depends on the values of tensors")

    def _all_constant(self, tensors: Sequence[Tensor]) -> bool:
        return all(id(tensor) in self._constants for tensor in tensors)

    def expressed(self, value: Any) -> Any:
        """Return a value with the names of its tensors in their places."""
        if isinstance(value, Tensor):
            try:
                return Name(self._names[id(value)])
            except KeyError:
                raise UnsupportedNetworkError(
                    f"a tensor of the shape {tuple(value.shape)} comes from outside of the module that uses it"
                ) from None
        if isinstance(value, list | tuple):
            items = [self.expressed(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {key: self.expressed(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(*(self.expressed(part) for part in (value.start, value.stop, value.step)))
        return value

    def _assigned(self, result: Any) -> Any:
        if isinstance(result, Tensor):
            self._variables += 1
            while f"x{self._variables}" in dict(self.trace.inputs):
                self._variables += 1
            name = f"x{self._variables}"
            self._know(result, name)
            return Name(name)
        if isinstance(result, list | tuple) and all(isinstance(item, Tensor) for item in result):
            return tuple(self._assigned(item) for item in result)
        raise UnsupportedNetworkError(f"a call returns {type(result).__name__}, expected tensors or a tuple of them")

    def _know_all(self, value: Any, name: str) -> None:
        if isinstance(value, Tensor):
            self._know(value, name)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                self._know_all(item, f"{name}[{index}]")

    def _know(self, tensor: Tensor, name: str) -> None:
        self._names[id(tensor)] = name
        self._kept_alive.append(tensor)


class _Recorder(TorchFunctionMode):
    """Notes what happens in the innermost module of a class of its own."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.traces: Traces = {}
        self._paths = {id(module): path for path, module in network.named_modules()}
        # None while a module runs whose inner life is of no interest.
        self._scopes: list[_Scope | None] = []

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
        if is_plain(module) or is_container(module):
            result = self._within(None, lambda: call(module, *arguments, **keywords))
            if caller is not None:
                caller.note(caller.expression_of(module), arguments, keywords, result)
            return result
        inputs = _tensor_inputs(module, arguments, keywords)
        scope = _Scope(module, inputs)
        result = self._within(scope, lambda: call(module, *arguments, **keywords))
        scope.trace.result = scope.expressed(result)
        self._keep(module, without_unused_constants(scope.trace))
        if caller is not None:
            caller.note(caller.expression_of(module), tuple(inputs.values()), {}, result)
        return result

    def _within(self, scope: _Scope | None, run: Callable[[], Any]) -> Any:
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
        if _has_tensors(value)
    ):
        raise UnsupportedNetworkError(f"the forward method of '{type(module).__name__}' takes any number of tensors")
    return {name: value for name, value in bound.arguments.items() if _has_tensors(value)}


def _has_tensors(value: Any) -> bool:
    return any(True for _ in _tensors(value))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)
