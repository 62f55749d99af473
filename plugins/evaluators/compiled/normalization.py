"""Batch normalisation by the statistics of the batch on a CPU, with the ReLU behind it, in C.

PyTorch reads the features once more for means that it does not use, and takes several times as long where channels are
fewer than a vector holds. A ReLU behind, the most frequent neighbour, costs nothing here.
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

_ARGUMENTS = {
    "normalize_forward": (*(POINTER,) * 9, SIZE, SIZE, ctypes.c_float, ctypes.c_double, ctypes.c_int),
    "normalize_backward": (*(POINTER,) * 10, SIZE, SIZE, ctypes.c_int),
}

# Rows of the space that the functions work in, each of BLOCK times as many values as channels.
_BLOCK = 16
_FORWARD_ROWS = 2
_BACKWARD_ROWS = 8


def compile_normalization(network: nn.Module) -> None:
    """Let the batch normalisation of a network run in C, where it can.

    PyTorch's sums depend on the number of threads, and the compiled ones are those of a single thread: with more than
    one, nothing is changed.

    Args:
        network: Its layers' ``forward`` is changed; on the CPU.
    """
    if torch.get_num_threads() != 1:
        return
    functions = _functions()
    if functions is not None:
        for layer in network.modules():
            _compile_layer(layer, functions)


@cache
def _functions() -> ctypes.CDLL | None:
    """Return the compiled functions; None where there is no compiler, or PyTorch computes something else."""
    library = load_library("normalization")
    if library is None:
        return None
    declare(library, _ARGUMENTS)
    made = (nn.BatchNorm2d, lambda channels: nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()))
    return library if all(agrees(build, partial(_compile_layer, functions=library)) for build in made) else None


def _compile_layer(layer: nn.Module, functions: ctypes.CDLL) -> None:
    if isinstance(layer, nn.Sequential):
        if type(layer).forward is nn.Sequential.forward and is_plain(layer):
            _compile_sequence(layer, functions)
    elif type(layer) is nn.BatchNorm2d and is_plain(layer):
        layer.forward = partial(  # type: ignore[method-assign]
            _forward, layer, layer.forward, functions, False
        )


def _compile_sequence(sequence: nn.Sequential, functions: ctypes.CDLL) -> None:
    """Join each batch normalisation of a sequence with the ReLU behind it."""
    steps: list[Callable[[Tensor], Tensor]] = []
    layers = list(sequence)
    while layers:
        layer, behind = layers.pop(0), layers[0] if layers else None
        if type(layer) is nn.BatchNorm2d and type(behind) is nn.ReLU and is_plain(layer) and is_plain(behind):
            layers.pop(0)
            steps.append(partial(_forward, layer, nn.Sequential(layer, behind), functions, True))
        else:
            steps.append(layer)
    if len(steps) < len(sequence):
        sequence.forward = partial(_run, steps)  # type: ignore[method-assign]


def _run(steps: list[Callable[[Tensor], Tensor]], features: Tensor) -> Tensor:
    for step in steps:
        features = step(features)
    return features


def _forward(
    layer: nn.BatchNorm2d,
    otherwise: Callable[[Tensor], Tensor],
    functions: ctypes.CDLL,
    rectify: bool,
    features: Tensor,
) -> Tensor:
    # What torch.compile traces must be PyTorch's own.
    if torch.compiler.is_compiling() or not _can_compute(layer, features):
        return otherwise(features)
    momentum = layer.momentum or 0.0
    statistics = (layer.running_mean, layer.running_var) if layer.training else (None, None)
    if layer.training and layer.num_batches_tracked is not None:
        layer.num_batches_tracked.add_(1)
    output: Tensor = _Normalize.apply(  # type: ignore[no-untyped-call]
        functions, features, layer.weight, layer.bias, *statistics, momentum, layer.eps, rectify
    )
    return output


def _can_compute(layer: nn.BatchNorm2d, features: Tensor) -> bool:
    """Whether PyTorch would normalise by the batch's own statistics, along the channels as last dimension."""
    by_batch = layer.training or layer.running_mean is None
    if not by_batch or (layer.track_running_stats and layer.momentum is None):
        return False
    return (
        features.dim() == 4
        and features.dtype is torch.float32
        and features.shape[1] == layer.num_features
        and features.numel() > features.shape[1]
        and features.is_contiguous(memory_format=torch.channels_last)
        and not features.is_contiguous()
        and all(values is None or values.dtype is torch.float32 for values in (layer.weight, layer.running_mean))
    )


class _Normalize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        functions: ctypes.CDLL,
        features: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        running_mean: Tensor | None,
        running_variance: Tensor | None,
        momentum: float,
        epsilon: float,
        rectify: bool,
    ) -> Tensor:
        channels = features.shape[1]
        output = torch.empty_like(features)
        means, scales, work = torch.empty(channels), torch.empty(channels), _work(_FORWARD_ROWS, channels)
        tensors = (features, weight, bias, running_mean, running_variance, output, means, scales, work)
        rows = features.numel() // channels
        functions.normalize_forward(*addresses(*tensors), rows, channels, momentum, epsilon, rectify)
        ctx.save_for_backward(features, weight, bias, means, scales)
        ctx.functions, ctx.epsilon, ctx.rectify = functions, epsilon, rectify
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, means, scales = ctx.saved_tensors
        if not ctx.rectify and not gradient.is_contiguous(memory_format=torch.channels_last):
            # PyTorch sums in another order here.
            parts = _backward_of_torch(gradient, features, weight, means, scales, ctx.epsilon)
        else:
            parts = _backward_in_c(ctx, gradient.contiguous(memory_format=torch.channels_last))
        to_features, to_weight, to_bias = parts
        of_weight, of_bias = to_weight if weight is not None else None, to_bias if bias is not None else None
        return None, to_features, of_weight, of_bias, None, None, None, None, None


def _backward_in_c(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    features, weight, bias, means, scales = ctx.saved_tensors
    channels = features.shape[1]
    result, to_weight, to_bias = torch.empty_like(features), torch.empty(channels), torch.empty(channels)
    work = _work(_BACKWARD_ROWS, channels)
    tensors = (gradient, features, weight, bias, means, scales, result, to_weight, to_bias, work)
    ctx.functions.normalize_backward(*addresses(*tensors), features.numel() // channels, channels, ctx.rectify)
    return result, to_weight, to_bias


def _backward_of_torch(
    gradient: Tensor, features: Tensor, weight: Tensor | None, means: Tensor, scales: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    parts: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
        gradient, features, weight, None, None, means, scales, True, epsilon, [True, weight is not None, True]
    )
    return parts


def _work(rows: int, channels: int) -> Tensor:
    return torch.empty(rows * _BLOCK * channels)
