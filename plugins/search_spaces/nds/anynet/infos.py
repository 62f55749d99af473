"""What the toolkit knows of the AnyNet spaces before it builds one."""

from __future__ import annotations

from .....core.capabilities import BlockNetwork, GroundTruthTable, Images, Network, StagedNetwork
from .....core.descriptions import SearchSpaceInfo
from ....references import references

_NETWORK_VARIANTS = {
    "benchmark": "the networks for CIFAR: a 3x3 stem of 16 channels, stages, pooling and classifier",
    "imagenet": "the networks for ImageNet: a stem of three 3x3 convolutions, which leaves an eighth of the resolution",
    "gennas": "the GenNAS authors' networks: the stem's entry built as one more stage, groups read as channels a group",
    "gennas-imagenet": "the same made of the records for ImageNet, whose stem has 64 channels instead of 16",
    "naswot": "NASWOT's networks: those of GenNAS behind a 7x7 stem of stride 2 and max-pooling",
    "narrow": "the networks for CIFAR with a quarter of the channels and one block a stage, after TE-NAS",
    "reduced": "the networks for CIFAR with a quarter of the channels, after EcoNAS",
}


def _space(name: str, summary: str) -> SearchSpaceInfo:
    return SearchSpaceInfo(
        name=name,
        summary=summary,
        source="Radosavovic et al., On Network Design Spaces for Visual Recognition, ICCV 2019",
        references=references("radosavovic2019nds"),
        factory=f"{__package__}.space:AnyNetSpace",
        datasets=("cifar10", "cifar100", "imagenet16-120", "photos"),
        takes=frozenset({Images}),
        requires=name,
        identity="Every design is a network of its own: they differ in depth or in the shape of a convolution.",
        provides=frozenset({Network, StagedNetwork, BlockNetwork, GroundTruthTable}),
        network_variants=_NETWORK_VARIANTS,
    )


ANYNET_SPACES = (
    _space(
        "nds-resnet",
        "NDS ResNet: three stages of 1 to 24 basic residual blocks with 16 to 256 channels.",
    ),
    _space(
        "nds-resnext-a",
        "NDS ResNeXt-A: three stages of 1 to 16 bottleneck blocks with 16 to 256 channels in up to 4 groups.",
    ),
    _space(
        "nds-resnext-b",
        "NDS ResNeXt-B: three stages of 1 to 16 bottleneck blocks with 64 to 1024 channels in up to 16 groups.",
    ),
)
