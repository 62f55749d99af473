"""The call of one module while it is followed: which tensors it has, under which names, and what it does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import resolve_name

from .forward_pass import Call, Name, Trace, UnsupportedNetworkError
from .module_kinds import attribute

# What tells the values of a tensor.
_LOOKING = {
    f"torch.Tensor.{name}"
    for name in ("__bool__", "__int__", "__float__", "__index__", "__array__", "item", "tolist", "numpy")
}
# What makes a tensor that is the same each time.
_CONSTANT = {f"torch.{name}" for name in ("tensor", "as_tensor", "arange", "zeros", "ones", "full", "eye")}


class Scope:
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
        used = list(tensors_in((arguments, keywords)))
        assigns = target is Tensor.__setitem__
        if not (has_tensors(result) or assigns) or (used and not any(id(tensor) in self._names for tensor in used)):
            return
        expressed = self.expressed(arguments), self.expressed(keywords)
        if assigns:
            self._constants.difference_update(map(id, used))
            self.trace.calls.append(Call(target, *expressed, None))
            return
        constant = not isinstance(target, str) and self._is_constant(resolve_name(target) or "", used)
        self.trace.calls.append(Call(target, *expressed, self._assigned(result), constant))
        if constant:
            self._constants.update(map(id, tensors_in(result)))

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
        used = [tensor for tensor in tensors_in(arguments) if id(tensor) in self._names]
        if not self._all_constant(used) and resolve_name(function) in _LOOKING:
            raise UnsupportedNetworkError("what it does depends on the values of tensors")

    def _all_constant(self, tensors: Sequence[Tensor]) -> bool:
        return all(id(tensor) in self._constants for tensor in tensors)

    def expressed(self, value: Any) -> Any:
        """Return a value with the names of its tensors in their places.

        Raises:
            UnsupportedNetworkError: The module has not made one of them, and was not given it.
        """
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


def has_tensors(value: Any) -> bool:
    """Whether a value is a tensor, or a list, tuple or dictionary with one in it."""
    return any(True for _ in tensors_in(value))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(item)
