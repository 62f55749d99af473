"""What networks are built from a design: stem, and the stages with their strides. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .design import Block, Definition, Stage

Stem = Literal["conv3", "conv7-pool", "three-conv3"]
"""``conv3``: a 3x3 convolution; ``conv7-pool``: a 7x7 convolution of stride 2, and max-pooling of stride 2;
``three-conv3``: three 3x3 convolutions of stride 2. Batch normalisation and ReLU follow each convolution."""

STRIDES = (1, 2, 2)
"""Of the first block of each stage."""

CIFAR_STEM_WIDTH, IMAGENET_STEM_WIDTH = 16, 64

_REDUCED_SHARE = 4

# The code of the GenNAS authors and of NASWOT, which took the stem's entry of each list for one more stage.
EXTRA_STEM_WIDTH = 12


@dataclass(frozen=True)
class StageLayout:
    """One stage of a network.

    Attributes:
        depth: Number of blocks.
        width: Channels of its output.
        stride: Of its first block.
        inner: Channels inside a bottleneck; ``width`` for basic blocks.
        groups: Of the 3x3 convolution in a bottleneck; 1 for basic blocks.
    """

    depth: int
    width: int
    stride: int
    inner: int
    groups: int = 1


@dataclass(frozen=True)
class NetworkLayout:
    """Stem, and stages of blocks of one kind."""

    stem: Stem
    stem_width: int
    block: Block
    stages: tuple[StageLayout, ...]


def benchmark_layout(definition: Definition, stages: Sequence[Stage], *, imagenet: bool = False) -> NetworkLayout:
    """Return the network that NDS trained on CIFAR-10, or on ImageNet, whose stem divides the resolution by 8."""
    return NetworkLayout(
        "three-conv3" if imagenet else "conv3",
        IMAGENET_STEM_WIDTH if imagenet else CIFAR_STEM_WIDTH,
        definition.block,
        tuple(
            StageLayout(stage.depth, stage.width, stride, stage.width // stage.ratio, stage.groups)
            for stage, stride in zip(stages, STRIDES, strict=True)
        ),
    )


def reduced(stage: Stage, depth: int) -> Stage:
    """Return a stage with a quarter of the channels, or as few as its ratio and groups allow."""
    return stage._replace(depth=depth, width=max(stage.width // _REDUCED_SHARE, stage.ratio * stage.groups))


def scored_layout(definition: Definition, stages: Sequence[Stage], stem: Stem, stem_width: int) -> NetworkLayout:
    """Return the network that GenNAS and NASWOT scored, which is none that NDS trained.

    The lists of a record begin with an entry for the stem. Their code built it as a stage of one block behind a stem of
    12 channels, and read the number of groups as the number of channels in each.

    Args:
        definition: Of the space.
        stages: The design.
        stem: What the extra stem is made of.
        stem_width: Channels of the true stem: the width of the stage that was built instead.
    """
    return NetworkLayout(
        stem,
        EXTRA_STEM_WIDTH,
        definition.block,
        tuple(
            StageLayout(stage.depth, stage.width, stride, inner, _groups_of(definition, inner, stage.groups))
            for stage, stride, inner in (
                (stage, stride, stage.width // stage.ratio)
                for stage, stride in zip((Stage(1, stem_width), *stages), (1, *STRIDES), strict=True)
            )
        ),
    )


def _groups_of(definition: Definition, inner: int, channels: int) -> int:
    return inner // channels if definition.block == "bottleneck" else 1
