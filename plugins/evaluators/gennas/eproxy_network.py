"""The network that EProxy trains, and the targets it is trained towards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.capabilities import StagedNetwork, require
from .signals import sin2d
from .task import MAP_SIZE, frequency_grid

_NET_CHANNELS = (64, 128, 256, 512, 1024)
"""Channels of the random network that draws a part of the target (authors' code)."""

_KERNEL_SIZE = 3
"""Of heads, barriers and the random network, in the authors' configuration for NAS-Bench-101."""


class EproxyNetwork(nn.Module):
    """A :class:`StagedNetwork`; behind each branch a trained head and an untrained barrier.

    A branch is a stage's feature map reduced to 8x8 by nearest neighbour, the last stage first. Head: 3x3 convolution,
    ReLU, batch normalisation. Barrier: 3x3 convolution that stays as it was drawn.
    """

    def __init__(
        self,
        backbone: nn.Module,
        feature_channels: Sequence[int],
        head_channels: int,
        target_channels: int,
        generator: torch.Generator,
    ) -> None:
        """Put heads and barriers on a backbone.

        Args:
            backbone: A :class:`StagedNetwork`.
            feature_channels: Channels of each branch, the last stage first.
            head_channels: Output channels of the heads.
            target_channels: Output channels of the barriers.
            generator: Source of the initial weights of heads and barriers, on the CPU.
        """
        super().__init__()
        self.backbone = backbone
        self.heads = nn.ModuleList(
            nn.Sequential(convolution(channels, head_channels, generator), nn.ReLU(), nn.BatchNorm2d(head_channels))
            for channels in feature_channels
        )
        self.barriers = nn.ModuleList(
            convolution(head_channels, target_channels, generator).requires_grad_(False) for _ in feature_channels
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images (batch, colours, height, width) to one (batch, target_channels, 8, 8) for each branch."""
        stages = require(self.backbone, StagedNetwork).forward_stages(images)
        return [
            barrier(head(functional.interpolate(features, size=(MAP_SIZE, MAP_SIZE), mode="nearest")))
            for features, head, barrier in zip(reversed(stages), self.heads, self.barriers, strict=False)
        ]

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters of backbone and heads, with their names."""
        return ((name, value) for name, value in self.named_parameters() if not name.startswith("barriers."))


def convolution(in_channels: int, out_channels: int, generator: torch.Generator) -> nn.Conv2d:
    """Make a 3x3 convolution with same padding; weights and biases as PyTorch draws them, U(+-1 / sqrt(fan-in))."""
    layer = nn.Conv2d(in_channels, out_channels, _KERNEL_SIZE, padding=_KERNEL_SIZE // 2, device="meta")
    bound = 1.0 / math.sqrt(in_channels * _KERNEL_SIZE**2)
    layer.to_empty(device="cpu")
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layer


def random_crop(images: Tensor, black: Tensor, offsets: Tensor, padding: int) -> Tensor:
    """Shift each image within a black frame, as cutting it out of the framed image does.

    Args:
        images: Shape (batch, colours, height, width).
        black: Normalised value of black of each colour, shape (colours,).
        offsets: Row and column in the framed image at which each cut starts, 0 .. 2 * padding, shape (batch, 2).
        padding: Width of the frame in pixels.

    Returns:
        The cuts, of the shape of ``images``.
    """
    batch, colours, height, width = images.shape
    framed = black[None, :, None, None].expand(batch, colours, height + 2 * padding, width + 2 * padding).clone()
    framed[:, :, padding : padding + height, padding : padding + width] = images
    return torch.stack(
        [
            image[:, top : top + height, left : left + width]
            for image, (top, left) in zip(framed, offsets.tolist(), strict=True)
        ]
    )


def draw_target(images: Tensor, channels: int, generator: torch.Generator) -> Tensor:
    """Draw the target: the output of a random network plus high-frequency sines.

    Args:
        images: Normalised images on the CPU, shape (batch, colours, height, width).
        channels: Channels of the target.
        generator: Source of weights and sines, on the CPU.

    Returns:
        Float32 tensor (batch, channels, 8, 8) of values between -2 and 2.
    """
    sines = sin2d(torch.tensor(frequency_grid("H10"), dtype=torch.float64), (len(images), channels), generator)
    return random_network_maps(images, channels, generator) + sines.float()


@torch.no_grad()
def random_network_maps(images: Tensor, channels: int, generator: torch.Generator) -> Tensor:
    """Run an untrained network of six convolutions over images; the largest magnitude of the result is 1.

    Batch normalisation (of the batch) and ReLU follow each convolution but the last, 2x2 max-pooling the first two.
    """
    maps = images
    for number, out_channels in enumerate(_NET_CHANNELS):
        maps = convolution(maps.shape[1], out_channels, generator)(maps)
        maps = functional.relu(functional.batch_norm(maps, None, None, training=True))
        if number < 2:
            maps = functional.max_pool2d(maps, 2)
    maps = functional.interpolate(convolution(maps.shape[1], channels, generator)(maps), size=(MAP_SIZE, MAP_SIZE))
    return maps / maps.abs().max()
