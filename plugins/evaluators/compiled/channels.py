"""Channels of one tensor in several, and of several in one, on a CPU, in C.

PyTorch copies row by row where channels are last in memory, which takes some ten nanoseconds for a few channels; and
the gradient of a concatenation's part is a view into the whole, which the next layer copies once more.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ....core.layers import Concatenation
from .library import POINTER, POINTERS, SIZE, declare, load_library, pointers
from .plain_layers import is_plain

_ARGUMENTS = {
    "split_channels": (POINTER, POINTERS, ctypes.POINTER(SIZE), SIZE, SIZE, SIZE),
    "join_channels": (POINTER, POINTERS, ctypes.POINTER(SIZE), SIZE, SIZE, SIZE),
}


def compile_concatenation(network: nn.Module) -> None:
    """Let a network's layers of the class :class:`Concatenation` copy in C, where they can.

    Args:
        network: Its layers' ``forward`` is changed; on the CPU.
    """
    for layer in network.modules():
        if type(layer) is Concatenation and is_plain(layer):
            layer.forward = partial(_concatenate, layer.forward)  # type: ignore[method-assign]


def split_channels(features: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    """Cut features into parts along the channels, each dense in memory.

    Args:
        features: Shape ``(batch, channels, height, width)``.
        sizes: Channels of each part; their sum is that of the features.
    """
    if not torch.compiler.is_compiling() and _can_copy([features]):
        parts: tuple[Tensor, ...] = _Split.apply(tuple(sizes), features)  # type: ignore[no-untyped-call]
        return parts
    views = torch.split(features, list(sizes), dim=1)
    return tuple(view.clone(memory_format=torch.preserve_format) for view in views)


def _concatenate(otherwise: Callable[[Sequence[Tensor]], Tensor], parts: Sequence[Tensor]) -> Tensor:
    # What torch.compile traces must be PyTorch's own.
    if torch.compiler.is_compiling() or not _can_copy(parts):
        return otherwise(parts)
    output: Tensor = _Join.apply(*parts)  # type: ignore[no-untyped-call]
    return output


def _can_copy(tensors: Sequence[Tensor]) -> bool:
    """Whether all are single-precision numbers on the CPU, their channels last in memory."""
    return all(
        tensor.dim() == 4
        and tensor.dtype is torch.float32
        and tensor.device.type == "cpu"
        and tensor.numel()
        and tensor.is_contiguous(memory_format=torch.channels_last)
        for tensor in tensors
    )


class _Split(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sizes: tuple[int, ...], features: Tensor) -> tuple[Tensor, ...]:
        return _split(features, sizes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        return None, _join(gradients)


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *parts: Tensor) -> Tensor:
        ctx.sizes = tuple(part.shape[1] for part in parts)
        return _join(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        return _split(gradient, ctx.sizes)


def _split(whole: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    """Copy the parts; each has its channels last in memory, with the compiled functions and without them."""
    whole = whole.contiguous(memory_format=torch.channels_last)
    functions = _functions()
    if functions is None:
        return tuple(
            part.contiguous(memory_format=torch.channels_last) for part in torch.split(whole, list(sizes), dim=1)
        )
    parts = tuple(_empty(whole, size) for size in sizes)
    functions.split_channels(whole.data_ptr(), pointers(parts), *_counts(parts, whole))
    return parts


def _join(parts: Sequence[Tensor]) -> Tensor:
    parts = [part.contiguous(memory_format=torch.channels_last) for part in parts]
    functions = _functions()
    if functions is None:
        return torch.cat(parts, dim=1).contiguous(memory_format=torch.channels_last)
    whole = _empty(parts[0], sum(part.shape[1] for part in parts))
    functions.join_channels(whole.data_ptr(), pointers(parts), *_counts(parts, whole))
    return whole


def _empty(like: Tensor, channels: int) -> Tensor:
    batch, _, height, width = like.shape
    return torch.empty((batch, channels, height, width), memory_format=torch.channels_last)


def _counts(parts: Sequence[Tensor], whole: Tensor) -> tuple[Any, int, int, int]:
    sizes = (SIZE * len(parts))(*(part.shape[1] for part in parts))
    channels = whole.shape[1]
    return sizes, len(parts), whole.numel() // channels, channels


@cache
def _functions() -> ctypes.CDLL | None:
    """Return the compiled functions; None where there is no compiler."""
    library = load_library("channels")
    if library is not None:
        declare(library, _ARGUMENTS)
    return library
