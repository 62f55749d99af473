"""What stands before the cells of a network, and the auxiliary head beside them."""

from __future__ import annotations

from torch import Tensor, nn

CIFAR_STEM_WIDTHS = 3
"""Channels of the stem for CIFAR, in widths of the first cell."""


class CifarStem(nn.Module):
    """A 3x3 convolution and batch normalisation; both inputs of the first cell are its output."""

    def __init__(self, input_channels: int, width: int) -> None:
        super().__init__()
        self.out_channels = CIFAR_STEM_WIDTHS * width
        self.convolution = nn.Conv2d(input_channels, self.out_channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(self.out_channels)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images to the two inputs of the first cell, (batch, out_channels, height, width)."""
        features: Tensor = self.bn(self.convolution(images))
        return features, features


class ImagenetStem(nn.Module):
    """Two stems, one behind the other, whose outputs are the two inputs of the first cell."""

    def __init__(self, input_channels: int, width: int, *, strided: bool) -> None:
        super().__init__()
        self.out_channels = width
        stride = 2 if strided else 1
        self.first = nn.Sequential(
            nn.Conv2d(input_channels, width // 2, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
            nn.Conv2d(width // 2, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.second = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images to outputs of both stems; strided, at a quarter and an eighth of the images' resolution."""
        first: Tensor = self.first(images)
        return first, self.second(first)


class AuxiliaryHead(nn.Sequential):
    """Classifier of the output of the second reduction cell, of 8x8 pixels for CIFAR and 7x7 for ImageNet."""

    def __init__(self, channels: int, num_classes: int, *, for_cifar: bool) -> None:
        # Only the form for CIFAR normalises behind the second convolution, as in the authors' code.
        second = [nn.BatchNorm2d(768)] if for_cifar else []
        super().__init__(
            nn.ReLU(),
            nn.AvgPool2d(5, stride=3 if for_cifar else 2, count_include_pad=False),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            *second,
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(768, num_classes),
        )
