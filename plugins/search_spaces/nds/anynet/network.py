"""AnyNet: a stem, stages of blocks, global average pooling and a linear classifier.

Radosavovic et al., ICCV 2019, and the code that NDS was trained with. Convolutions have no bias, and batch
normalisation behind them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .design import NUM_STAGES
from .layout import NetworkLayout, StageLayout, Stem

MakeBlock = Callable[[int, StageLayout, int], nn.Module]
"""Makes a block from its input channels, its stage and its stride."""


def conv_bn(
    in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Return a convolution with same padding and batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
    )


def basic_branch(in_channels: int, stage: StageLayout, stride: int) -> nn.Sequential:
    """Return two 3x3 convolutions."""
    return nn.Sequential(
        conv_bn(in_channels, stage.width, 3, stride=stride), nn.ReLU(), conv_bn(stage.width, stage.width, 3)
    )


def bottleneck_branch(in_channels: int, stage: StageLayout, stride: int) -> nn.Sequential:
    """Return a 1x1 convolution to few channels, a 3x3 convolution in groups, and a 1x1 convolution to all channels."""
    return nn.Sequential(
        conv_bn(in_channels, stage.inner, 1),
        nn.ReLU(),
        conv_bn(stage.inner, stage.inner, 3, stride=stride, groups=stage.groups),
        nn.ReLU(),
        conv_bn(stage.inner, stage.width, 1),
    )


class ResidualBlock(nn.Module):
    """The sum of a branch and a shortcut, and ReLU.

    The shortcut is the input itself where its shape is that of the output, otherwise a 1x1 convolution.
    """

    def __init__(self, in_channels: int, stage: StageLayout, stride: int, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        same_shape = in_channels == stage.width and stride == 1
        self.shortcut = nn.Identity() if same_shape else conv_bn(in_channels, stage.width, 1, stride=stride)
        self.relu = nn.ReLU()

    def before_relu(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, side, side) to (batch, width, side / stride, side / stride)."""
        shortcut: Tensor = self.shortcut(x)
        branch: Tensor = self.branch(x)
        return shortcut + branch

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, side, side) to (batch, width, side / stride, side / stride), all at least 0."""
        output: Tensor = self.relu(self.before_relu(x))
        return output


def basic_block(in_channels: int, stage: StageLayout, stride: int) -> ResidualBlock:
    """Return a block of ResNet."""
    return ResidualBlock(in_channels, stage, stride, basic_branch(in_channels, stage, stride))


def bottleneck_block(in_channels: int, stage: StageLayout, stride: int) -> ResidualBlock:
    """Return a block of ResNeXt."""
    return ResidualBlock(in_channels, stage, stride, bottleneck_branch(in_channels, stage, stride))


BLOCKS: dict[str, MakeBlock] = {"basic": basic_block, "bottleneck": bottleneck_block}


def build_stem(stem: Stem, input_channels: int, width: int) -> nn.Sequential:
    """Return a stem; see :data:`.layout.Stem`."""
    match stem:
        case "conv3":
            return nn.Sequential(conv_bn(input_channels, width, 3), nn.ReLU())
        case "conv7-pool":
            return nn.Sequential(
                conv_bn(input_channels, width, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
            )
        case "three-conv3":
            channels = (input_channels, width // 2, width, width)
            layers: list[nn.Module] = []
            for before, after in itertools.pairwise(channels):
                layers += [conv_bn(before, after, 3, stride=2), nn.ReLU()]
            return nn.Sequential(*layers)


class AnyNet(nn.Module):
    """Image classifier made of stages of blocks."""

    def __init__(
        self, layout: NetworkLayout, *, input_channels: int, num_classes: int, make_block: MakeBlock | None = None
    ) -> None:
        """Build the network and draw its initial weights from torch's global generator.

        Convolutions are drawn from N(0, 2 / (k * k * out_channels)), the classifier from N(0, 0.01**2).

        Args:
            layout: What it is made of.
            input_channels: Image channels.
            num_classes: Length of the logits.
            make_block: Makes the blocks; by default those that ``layout`` names.
        """
        super().__init__()
        make_block = make_block or BLOCKS[layout.block]
        self.stem = build_stem(layout.stem, input_channels, layout.stem_width)
        self.stages = nn.ModuleList()
        channels = layout.stem_width
        for stage in layout.stages:
            blocks = [make_block(channels, stage, stage.stride)]
            blocks += [make_block(stage.width, stage, 1) for _ in range(stage.depth - 1)]
            self.stages.append(nn.Sequential(*blocks))
            channels = stage.width
        self.classifier = nn.Linear(channels, num_classes)
        self._initialize()

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Compute the features of the last three stages, each before the ReLU that ends it.

        Args:
            images: Shape (batch, input_channels, side, side), side divisible by 4, or by 32 with an ImageNet stem.

        Returns:
            Three tensors of shape (batch, width of the stage, its side, its side).
        """
        features: Tensor = self.stem(images)
        outputs = []
        for stage in self.stages:
            blocks = list(stage.children())
            for block in blocks[:-1]:
                features = block(features)
            outputs.append(blocks[-1].before_relu(features))  # type: ignore[operator]
            features = blocks[-1].relu(outputs[-1])  # type: ignore[operator]
        return outputs[-NUM_STAGES:]

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Compute the output of the stem and of each block, in the order they run.

        Each tensor is the very one that the next block takes, so that a block can be differentiated by itself. No block
        changes another's output.

        Args:
            images: Shape (batch, input_channels, side, side), side divisible by 4, or by 32 with an ImageNet stem.

        Returns:
            One tensor of shape (batch, channels, height, width) for the stem and for each block.
        """
        outputs = [self.stem(images)]
        for stage in self.stages:
            for block in stage:  # type: ignore[attr-defined]
                outputs.append(block(outputs[-1]))
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        features: Tensor = self.stem(images)
        for stage in self.stages:
            features = stage(features)
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits

    @torch.no_grad()
    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                height, width = module.kernel_size
                nn.init.normal_(module.weight, std=math.sqrt(2.0 / (height * width * module.out_channels)))
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)
