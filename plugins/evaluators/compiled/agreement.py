"""Whether a compiled layer computes what PyTorch's does, to the last bit: the order of sums is PyTorch's own affair."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

CHANNELS = (2, 5, 8, 21, 32)
"""Fewer than a vector, as many, a vector and a rest, and whole ones."""


def agrees(build: Callable[[int], nn.Module], compile_layer: Callable[[nn.Module], None]) -> bool:
    """Return whether outputs, gradients and the layer's own state are equal, for several numbers of channels.

    Args:
        build: Makes the layer for a number of channels.
        compile_layer: Changes a layer so that it runs in C.
    """
    for channels in CHANNELS:
        expected, ours = build(channels), build(channels)
        compile_layer(ours)
        inputs = _numbers(3.0, 3, channels, 6, 6), _numbers(7.0, 3, channels, 6, 6)
        pairs = zip(_run(ours, *inputs), _run(expected, *inputs), strict=True)
        if not all(torch.equal(first, second) for first, second in pairs):
            return False
    return True


def _numbers(step: float, *shape: int) -> Tensor:
    """Return fixed numbers around 0, a sixteenth of them equal."""
    values = torch.sin(step * torch.arange(math.prod(shape)) ** 2)
    values[::16] = 0.0
    values = values.reshape(shape)
    return values.contiguous(memory_format=torch.channels_last) if values.dim() == 4 else values


def _run(layer: nn.Module, features: Tensor, gradient: Tensor) -> list[Tensor]:
    features = features.clone(memory_format=torch.preserve_format).requires_grad_()
    for parameter in layer.parameters():
        parameter.data.copy_(_numbers(2.0, *parameter.shape))
    with torch.enable_grad():
        output = layer(features * 1.0)
        output.backward(gradient)
    return [output.detach(), *_gradients(features, *layer.parameters()), *layer.buffers()]


def _gradients(*tensors: Tensor) -> Iterator[Tensor]:
    for tensor in tensors:
        assert tensor.grad is not None
        yield tensor.grad
