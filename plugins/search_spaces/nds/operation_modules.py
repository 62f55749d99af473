"""The operations of the NDS cell spaces as modules (Radosavovic et al., ICCV 2019, and its authors' code, pycls).

All keep their channels, at stride 2 they halve the resolution, rounding up. Convolutions have no bias; batch
normalisation is affine. Pooling has none of either, and does not count the padding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from ....core.layers import Concatenation
from .operations import Operation


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution with same padding, batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels),
        )


class FactorizedReduction(nn.Module):
    """ReLU, two 1x1 convolutions of stride 2, the second on the image shifted by a pixel, batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.even = nn.Conv2d(in_channels, out_channels // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(in_channels, out_channels // 2, 1, 2, bias=False)
        self.concatenate = Concatenation()
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, height, width) to (batch, out_channels, height / 2, width / 2), rounded up."""
        x = self.relu(x)
        shifted = functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        output: Tensor = self.bn(self.concatenate([self.even(x), self.odd(shifted)]))
        return output


class Zero(nn.Module):
    """Zeros that depend on the input, with a gradient of 0."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to zeros of the shape that other operations give."""
        return x[:, :, :: self.stride, :: self.stride] * 0.0


def make_operation(operation: Operation, channels: int, stride: int) -> nn.Module:
    """Build the module of an operation with its initial weights."""
    return (operation.build or _BUILDERS[operation.name])(channels, stride)


def _skip(channels: int, stride: int) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduction(channels, channels)


def _zero(channels: int, stride: int) -> nn.Module:
    return Zero(stride)


def _average_pool(side: int, channels: int, stride: int) -> nn.Module:
    return nn.AvgPool2d(side, stride, side // 2, count_include_pad=False)


def _max_pool(side: int, channels: int, stride: int) -> nn.Module:
    return nn.MaxPool2d(side, stride, side // 2)


def _convolution(side: int, channels: int, stride: int) -> nn.Module:
    return ReLUConvBN(channels, channels, side, stride)


def _row_and_column(length: int, channels: int, stride: int) -> nn.Module:
    """Build a convolution along the rows and one along the columns, with one batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, length), (1, stride), (0, length // 2), bias=False),
        nn.Conv2d(channels, channels, (length, 1), (stride, 1), (length // 2, 0), bias=False),
        nn.BatchNorm2d(channels),
    )


def _depthwise(side: int, dilation: int, channels: int, stride: int) -> list[nn.Module]:
    padding = dilation * (side // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, side, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    ]


def _dilated(side: int, channels: int, stride: int) -> nn.Module:
    return nn.Sequential(*_depthwise(side, 2, channels, stride))


def _separable(side: int, dilation: int, channels: int, stride: int) -> nn.Module:
    """Build two rounds, of which the first has the stride."""
    rounds = _depthwise(side, dilation, channels, stride) + _depthwise(side, dilation, channels, 1)
    return nn.Sequential(*rounds)


_BUILDERS: dict[str, Callable[[int, int], nn.Module]] = {
    "none": _zero,
    "skip": _skip,
    "avg3": partial(_average_pool, 3),
    "max3": partial(_max_pool, 3),
    "max5": partial(_max_pool, 5),
    "max7": partial(_max_pool, 7),
    "conv1": partial(_convolution, 1),
    "conv3": partial(_convolution, 3),
    "conv3x1": partial(_row_and_column, 3),
    "conv7x1": partial(_row_and_column, 7),
    "sep3": partial(_separable, 3, 1),
    "sep5": partial(_separable, 5, 1),
    "sep7": partial(_separable, 7, 1),
    "dil3": partial(_dilated, 3),
    "dil5": partial(_dilated, 5),
    "dilsep3": partial(_separable, 3, 2),
}
