"""Batch normalisation whose second derivatives take a few passes over the maps, where PyTorch's take some thirty.

Values and first derivatives are those of PyTorch's own kernels, bit for bit, where channels are first in memory. Where
they are last, a CPU's kernels add up single values in float32, one after the other, and means are off by some 4e-6 of
the deviation, with 64 maps of 32x32 pixels; here by some 5e-8.

With xh = (x - mean) r, r = 1 / sqrt(variance + epsilon), M values a channel and factors w, the gradient by x is
w r (g - mean g - xh mean(g xh)). For a direction v of that gradient, a of that by w and b of that by the shift, the
second derivatives are: by g, the same expression of v, plus a xh + b; by w, r T; by x, with p = -w r Q / M and
q = a - w r P / M,

    r (p v + q g) - r (p P + q Q + w r T) xh / M - r (p V + q G) / M,

where sums over a channel are A = sum v g, V = sum v, G = sum g, P = sum v xh, Q = sum g xh, T = A - (V G + P Q) / M.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ..observe import Call

_MAP_DIMENSIONS = 4


def twice_differentiable(call: Call) -> Any:
    """Make a call; if it normalises feature maps by their own statistics, as described above."""
    if call.function is not functional.batch_norm or not call.argument(5, "training", False):
        return call()
    maps, weight, bias = call.argument(0, "input"), call.argument(3, "weight"), call.argument(4, "bias")
    momentum, epsilon = call.argument(6, "momentum", 0.1), call.argument(7, "eps", 1e-5)
    has_one_type = all(tensor is None or tensor.dtype == maps.dtype for tensor in (weight, bias))
    # One value a channel is an error, which PyTorch explains.
    if maps.dim() != _MAP_DIMENSIONS or not has_one_type or maps.numel() <= maps.shape[1]:
        return call()
    running = call.argument(1, "running_mean"), call.argument(2, "running_var")
    return TwiceDifferentiableBatchNorm.apply(maps, weight, bias, *running, momentum, epsilon)  # type: ignore[no-untyped-call]


class TwiceDifferentiableBatchNorm(torch.autograd.Function):
    """Normalises feature maps; takes also factors, shifts, running mean and variance, momentum and epsilon."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor | None, *others: Any) -> Tensor:
        """Normalise as torch does."""
        bias, running_mean, running_var, momentum, ctx.epsilon = others
        arguments = maps, weight, bias, running_mean, running_var
        if _needs_better_sums(maps):
            normalised, mean, scale = _normalise(*arguments, momentum, ctx.epsilon)
        else:
            normalised, mean, scale = torch.native_batch_norm(*arguments, True, momentum, ctx.epsilon)
        ctx.save_for_backward(maps, weight, mean, scale)
        return normalised

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Return the gradients, which can be differentiated."""
        found = _Gradients.apply(gradient, *ctx.saved_tensors, ctx.epsilon)  # type: ignore[no-untyped-call]
        needed = [value if needs else None for value, needs in zip(found, ctx.needs_input_grad, strict=False)]
        return *needed, None, None, None, None


class _Gradients(torch.autograd.Function):
    """The gradients by maps, factors and shifts, differentiable by the gradient of the output, maps and factors."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, *others: Any) -> tuple[Tensor, Tensor, Tensor]:
        maps, weight, mean, scale, ctx.epsilon = others
        ctx.set_materialize_grads(False)
        by_maps, by_weight, by_bias = _gradients(gradient, maps, weight, mean, scale, ctx.epsilon)
        ctx.save_for_backward(gradient, maps, weight, mean, scale, by_weight.clone(), by_bias.clone())
        return by_maps, by_weight, by_bias

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *directions: Tensor | None) -> Any:
        return *_second_derivatives(ctx.saved_tensors, directions, ctx.epsilon), None, None, None


def _needs_better_sums(maps: Tensor) -> bool:
    """Whether torch would run its kernel of a CPU for channels last; lower precisions are added up in float32 there."""
    is_last = maps.is_contiguous(memory_format=torch.channels_last) and not maps.is_contiguous()
    return is_last and maps.device.type == "cpu" and maps.dtype in (torch.float32, torch.float64)


def _normalise(
    maps: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    epsilon: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return normalised maps, means, and the reciprocals of deviations; change running statistics."""
    count = maps.numel() // maps.shape[1]
    mean = _channel_sums(maps) / count
    squares = _channel_sums((maps - _wide(mean)).square_())
    variance = squares / count
    if running_mean is not None:
        running_mean.mul_(1.0 - momentum).add_(mean, alpha=momentum)
    if running_var is not None:
        running_var.mul_(1.0 - momentum).add_(squares / (count - 1), alpha=momentum)
    normalised = torch.native_batch_norm(maps, weight, bias, mean, variance, False, 0.0, epsilon)[0]
    return normalised, mean, (variance + epsilon).rsqrt()


def _channel_sums(maps: Tensor) -> Tensor:
    return maps.sum((2, 3)).sum(0)


def _gradients(
    gradient: Tensor, maps: Tensor, weight: Tensor | None, mean: Tensor, scale: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients by maps, factors and shifts."""
    if _needs_better_sums(maps):
        return _precise_gradients(gradient, maps, weight, mean, scale)
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
        gradient, maps, weight, None, None, mean, scale, True, epsilon, [True, True, True]
    )
    return found


def _precise_gradients(
    gradient: Tensor, maps: Tensor, weight: Tensor | None, mean: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    count = maps.numel() // maps.shape[1]
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    centred = maps - _wide(mean)
    by_bias, by_weight = _channel_sums(gradient), _channel_sums(gradient * centred) * scale
    by_maps = torch.addcmul(gradient, centred, _wide(by_weight * scale / count), value=-1.0)
    by_maps.sub_(_wide(by_bias / count)).mul_(_wide(scale if weight is None else scale * weight))
    return by_maps, by_weight, by_bias


def _second_derivatives(
    saved: tuple[Any, ...], directions: tuple[Tensor | None, ...], epsilon: float
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return what is to be added to the derivatives by the output's gradient, by maps and by factors."""
    g, maps, weight, mean, r, q_sum, g_sum = saved
    v, a, b = directions
    v = torch.zeros_like(maps) if v is None else v
    a = torch.zeros_like(mean) if a is None else a
    w = torch.ones_like(mean) if weight is None else weight
    count = maps.numel() // maps.shape[1]
    by_gradient, p_sum, v_sum = _gradients(v, maps, weight, mean, r, epsilon)
    rest = (v * g).sum((0, 2, 3)) - (v_sum * g_sum + p_sum * q_sum) / count
    p, q = -w * r * q_sum / count, a - w * r * p_sum / count
    slope = r * r * (p * p_sum + q * q_sum + w * r * rest) / count
    centred = maps - _wide(mean)
    by_maps = _wide(r * p) * v
    by_maps.addcmul_(g, _wide(r * q)).addcmul_(centred, _wide(slope), value=-1)
    by_maps.sub_(_wide(r * (p * v_sum + q * g_sum) / count))
    if directions[1] is not None:
        by_gradient.addcmul_(centred, _wide(a * r))
    if b is not None:
        by_gradient.add_(_wide(b))
    return by_gradient, by_maps, None if weight is None else r * rest


def _wide(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1)
