"""How modules are made again: constructor calls with the values that a module keeps of its own."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from .forward_pass import UnsupportedNetworkError


@dataclass(frozen=True)
class Literal:
    """A value; ``role`` is what it is to the constructor, such as ``in_channels``."""

    role: str
    value: Any


@dataclass(frozen=True)
class Parameter:
    """A parameter of the constructor of a class."""

    name: str


@dataclass(frozen=True)
class Build:
    """A call of a constructor."""

    callee: str
    positional: tuple[Node, ...] = ()
    keywords: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Items:
    """A list of modules, or the arguments of ``nn.Sequential``."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entries:
    """A dictionary of modules or parameters."""

    entries: tuple[tuple[str, Node], ...]


Node: TypeAlias = Literal | Parameter | Build | Items | Entries

# Where one number stands for one in each direction.
_PER_DIRECTION = {"kernel_size", "stride", "padding", "dilation", "output_size", "output_padding"}
_ELSEWHERE = {"device", "dtype"}


def plain_module(module: nn.Module) -> Build:
    """Return how to make a module of ``torch.nn``.

    Raises:
        UnsupportedNetworkError: It does not keep what it was made with.
    """
    name = type(module).__name__
    if getattr(nn, name, None) is not type(module):
        raise UnsupportedNetworkError(f"'{type(module).__module__}.{name}' is no layer that 'torch.nn' exports")
    positional: list[Node] = []
    keywords: list[tuple[str, Node]] = []
    for parameter in inspect.signature(type(module).__init__).parameters.values():
        if parameter.name == "self" or parameter.name in _ELSEWHERE:
            continue
        if type(module) is nn.Identity:
            # Takes anything and keeps nothing.
            continue
        required = parameter.default is inspect.Parameter.empty
        if required and not hasattr(module, parameter.name):
            raise UnsupportedNetworkError(f"'nn.{name}' does not keep '{parameter.name}', which it was made with")
        value = _kept(module, parameter)
        if required:
            positional.append(Literal(parameter.name, value))
        elif value != parameter.default:
            keywords.append((parameter.name, Literal(parameter.name, value)))
    return Build(f"nn.{name}", tuple(positional), tuple(keywords))


def _kept(module: nn.Module, parameter: inspect.Parameter) -> Any:
    value = getattr(module, parameter.name, parameter.default)
    if isinstance(parameter.default, bool) and (value is None or isinstance(value, Tensor)):
        return value is not None
    if parameter.name in _PER_DIRECTION and isinstance(value, tuple) and len(set(value)) == 1:
        return value[0]
    return value


def parameter_text(parameter: Tensor) -> str:
    """Return an expression for a parameter or buffer that has its shape, and is spread as it is."""
    shape, values = tuple(parameter.shape), parameter.detach()
    dtype = "" if values.dtype is torch.float32 else f", dtype={values.dtype}"
    if values.numel() == 0:
        return f"torch.empty({shape}{dtype})"
    if bool((values == values.flatten()[0]).all()):
        return f"torch.full({shape}, {values.flatten()[0].item()!r}{dtype})"
    if not values.is_floating_point():
        return f"torch.tensor({values.tolist()!r}{dtype})"
    low, high = float(f"{float(values.min()):.3g}"), float(f"{float(values.max()):.3g}")
    return f"torch.empty({shape}{dtype}).uniform_({low}, {high})"
