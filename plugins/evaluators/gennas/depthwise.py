"""Depthwise convolutions by steps that a CPU does fast: the same function and training, sums in another order.

PyTorch computes the gradients of undilated 3x3 weights 11 to 44 times as fast as those of larger or dilated ones, at 48
channels of 32x32 pixels.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ..compiled import is_plain

FAST_SIDE = 3
"""Side of the weights whose gradients are computed fast."""

SMALLEST = 2**17
"""Values of features from which on it is faster to put a gradient together."""


def rearrange_depthwise(network: nn.Module) -> None:
    """Let the depthwise convolutions of a network be computed by fast steps, those that are slow otherwise.

    Args:
        network: On the CPU; its layers' ``forward`` is changed, and its gradients can be computed once, not twice.
    """
    for layer in network.modules():
        if type(layer) is nn.Conv2d and is_plain(layer) and _is_slow(layer):
            layer.forward = partial(_forward, layer)  # type: ignore[method-assign]


def _is_slow(layer: nn.Conv2d) -> bool:
    """Whether it is depthwise with square weights that are dilated by two, or larger than 3x3."""
    if not layer.groups == layer.in_channels == layer.out_channels > 1 or layer.bias is not None:
        return False
    (side, other), dilation, padding = layer.kernel_size, layer.dilation, layer.padding
    if side != other or side % 2 == 0 or layer.padding_mode != "zeros" or isinstance(padding, str):
        return False
    if dilation == (2, 2):
        return layer.stride in ((1, 1), (2, 2)) and padding[0] == padding[1] and padding[0] % 2 == 0
    return dilation == (1, 1) and layer.stride == (1, 1) and side > FAST_SIDE and padding[0] == padding[1]


def _forward(layer: nn.Conv2d, features: Tensor) -> Tensor:
    if torch.is_autocast_enabled("cpu"):
        return nn.Conv2d.forward(layer, features)
    padding = int(layer.padding[0])
    if layer.dilation == (1, 1):
        return _convolve(features, layer.weight, padding)
    # Weights that are two pixels apart see pixels of one parity only.
    if layer.stride == (2, 2):
        return _convolve(features[:, :, ::2, ::2], layer.weight, padding // 2)
    if features.shape[2] % 2 or features.shape[3] % 2:
        return nn.Conv2d.forward(layer, features)
    return _join_parities(_convolve(_split_parities(features), layer.weight, padding // 2))


def _convolve(features: Tensor, weight: Tensor, padding: int) -> Tensor:
    if weight.shape[-1] <= FAST_SIDE:
        return functional.conv2d(features, weight, None, 1, padding, 1, weight.shape[0])
    output: Tensor = _Depthwise.apply(features, weight, padding)  # type: ignore[no-untyped-call]
    return output


def _split_parities(features: Tensor) -> Tensor:
    """Return the four images of every second pixel, shape ``(4 * batch, channels, height / 2, width / 2)``."""
    batch, channels, height, width = features.shape
    pixels = features.permute(0, 2, 3, 1).reshape(batch, height // 2, 2, width // 2, 2, channels)
    return pixels.permute(2, 4, 0, 1, 3, 5).flatten(0, 2).permute(0, 3, 1, 2)


def _join_parities(images: Tensor) -> Tensor:
    """Undo :func:`_split_parities`."""
    batches, channels, height, width = images.shape
    pixels = images.permute(0, 2, 3, 1).reshape(2, 2, batches // 4, height, width, channels)
    return pixels.permute(2, 3, 0, 4, 1, 5).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


class _Depthwise(torch.autograd.Function):
    """A convolution of stride 1, the gradient of whose weights is put together from such of 3x3 weights."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, padding: int) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.padding = padding
        return functional.conv2d(features, weight, None, 1, padding, 1, weight.shape[0])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        wanted, wanted_of_weight, _ = ctx.needs_input_grad
        of_features = _gradients(features, weight, gradient, ctx.padding, of_weight=False) if wanted else None
        of_weight = _weight_gradient(features, weight, gradient, ctx.padding) if wanted_of_weight else None
        return of_features, of_weight, None


def _gradients(features: Tensor, weight: Tensor, gradient: Tensor, padding: int, *, of_weight: bool) -> Tensor:
    """Return the gradient of the weight, or that of the features."""
    ones, zeros, paddings = [1, 1], [0, 0], [padding, padding]
    both: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        gradient, features, weight, None, ones, paddings, ones, False, zeros, weight.shape[0],
        [not of_weight, of_weight, False],
    )  # fmt: skip
    return both[of_weight]


def _weight_gradient(features: Tensor, weight: Tensor, gradient: Tensor, padding: int) -> Tensor:
    if features.numel() < SMALLEST:
        return _gradients(features, weight, gradient, padding, of_weight=True)
    side, (height, width) = weight.shape[-1], gradient.shape[2:]
    padded = functional.pad(features, (padding,) * 4)
    part, whole = torch.empty_like(weight[:, :, :FAST_SIDE, :FAST_SIDE]), torch.empty_like(weight)
    # Neighbouring parts share a row or a column of the weights.
    for top in range(0, side - 1, FAST_SIDE - 1):
        for left in range(0, side - 1, FAST_SIDE - 1):
            seen = padded[:, :, top : top + height + FAST_SIDE - 1, left : left + width + FAST_SIDE - 1]
            of_part = _gradients(seen, part, gradient, 0, of_weight=True)
            whole[:, :, top : top + FAST_SIDE, left : left + FAST_SIDE] = of_part
    return whole
