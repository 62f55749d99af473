"""3x3 pooling of stride 1 on a CPU, forward and backward, in C.

PyTorch's loops take 3 to 15 nanoseconds a value where channels are few or no multiple of the vector width; these take
less than one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .agreement import agrees
from .library import POINTER, SIZE, addresses, declare, load_library
from .plain_layers import is_plain

_SHAPE = (SIZE,) * 4
_ARGUMENTS = {
    "max_pool_forward": (*(POINTER,) * 5, *_SHAPE),
    "max_pool_backward": (*(POINTER,) * 3, *_SHAPE),
    "average_pool_forward": (*(POINTER,) * 2, *_SHAPE),
    "average_pool_backward": (*(POINTER,) * 3, *_SHAPE),
}


def compile_pooling(network: nn.Module) -> None:
    """Let the pooling layers of a network run in C, those that can.

    Args:
        network: Its layers' ``forward`` is changed; on the CPU.
    """
    functions = _functions()
    if functions is not None:
        for layer in network.modules():
            _compile_layer(layer, functions)


@cache
def _functions() -> ctypes.CDLL | None:
    """Return the compiled functions; None where there is no compiler, or PyTorch computes something else."""
    library = load_library("pooling")
    if library is None:
        return None
    declare(library, _ARGUMENTS)
    made = (lambda _: nn.MaxPool2d(3, 1, 1), lambda _: nn.AvgPool2d(3, 1, 1, count_include_pad=False))
    return library if all(agrees(build, partial(_compile_layer, functions=library)) for build in made) else None


def _compile_layer(layer: nn.Module, functions: ctypes.CDLL) -> None:
    pool = _POOLS.get(type(layer))
    if pool is not None and is_plain(layer) and _is_pool_3x3(layer):
        layer.forward = partial(_forward, layer.forward, partial(pool.apply, functions))


def _forward(otherwise: Callable[[Tensor], Tensor], pool: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    # What torch.compile traces must be PyTorch's own.
    traced = torch.compiler.is_compiling()
    if not traced and features.dim() == 4 and features.dtype is torch.float32 and features.numel():
        return pool(features)
    return otherwise(features)


def _is_pool_3x3(layer: Any) -> bool:
    sizes = [_both(layer.kernel_size), _both(layer.stride), _both(layer.padding)]
    if sizes != [(3, 3), (1, 1), (1, 1)] or layer.ceil_mode:
        return False
    if isinstance(layer, nn.MaxPool2d):
        return _both(layer.dilation) == (1, 1) and not layer.return_indices
    return not layer.count_include_pad and layer.divisor_override is None


def _both(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def _arguments(shape: torch.Size, *tensors: Tensor) -> tuple[int | None, ...]:
    batch, channels, height, width = shape
    return (*addresses(*tensors), batch, height, width, channels)


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, functions: ctypes.CDLL, features: Tensor) -> Tensor:
        features = _channels_last(features)
        output = torch.empty_like(features)
        places = torch.empty(features.numel(), dtype=torch.uint8)
        rows = 3, features.shape[1] * features.shape[3]
        work = torch.empty(rows), torch.empty(rows, dtype=torch.int32)
        functions.max_pool_forward(*_arguments(features.shape, features, output, places, *work))
        ctx.save_for_backward(places)
        ctx.functions = functions
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        gradient = _channels_last(gradient)
        result = torch.empty_like(gradient)
        (places,) = ctx.saved_tensors
        ctx.functions.max_pool_backward(*_arguments(gradient.shape, gradient, places, result))
        return None, result


class _AveragePool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, functions: ctypes.CDLL, features: Tensor) -> Tensor:
        features = _channels_last(features)
        output = torch.empty_like(features)
        functions.average_pool_forward(*_arguments(features.shape, features, output))
        ctx.functions = functions
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        gradient = _channels_last(gradient)
        result = torch.empty_like(gradient)
        row = torch.empty(gradient.shape[1] * gradient.shape[3])
        ctx.functions.average_pool_backward(*_arguments(gradient.shape, gradient, result, row))
        return None, result


_POOLS: dict[type[nn.Module], type[torch.autograd.Function]] = {nn.MaxPool2d: _MaxPool, nn.AvgPool2d: _AveragePool}
