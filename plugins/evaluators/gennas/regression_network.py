"""The network that GenNAS trains: an architecture without its classifier, and a small head on each stage."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.capabilities import StagedNetwork, require
from ....core.errors import EvaluationError
from .settings import BiasInit, Head, WeightInit
from .task import MAP_SIZE, NUM_STAGES


class RegressionNetwork(nn.Module):
    """A :class:`StagedNetwork`, and a head for each stage that takes part.

    Feature maps are reduced to 8x8 by nearest neighbour before the head, as in the authors' code.
    """

    def __init__(
        self,
        backbone: nn.Module,
        feature_channels: Sequence[int],
        target_channels: Sequence[int],
        stages: Sequence[int],
        head: Head = "bn-conv",
    ) -> None:
        """Put new heads on a backbone.

        Args:
            backbone: A :class:`StagedNetwork`.
            feature_channels: Channels of each stage's features, see :func:`probe_stages`.
            target_channels: Channels of each stage's target.
            stages: Indices of the stages that get a head.
            head: ``bn-conv``: batch normalisation, then a 1x1 convolution with bias; ``conv``: the
                convolution alone.
        """
        super().__init__()
        self.backbone = backbone
        self.stages = tuple(stages)
        self.heads = nn.ModuleList(
            _build_head(feature_channels[index], target_channels[index], head) for index in self.stages
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images ``(batch, colours, height, width)`` to one ``(batch, channels, 8, 8)`` for each head."""
        features = require(self.backbone, StagedNetwork).forward_stages(images)
        return [head(_reduce(features[index])) for index, head in zip(self.stages, self.heads, strict=True)]


def _build_head(in_channels: int, out_channels: int, head: Head) -> nn.Module:
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size=1)
    if head == "conv":
        return convolution
    return nn.Sequential(nn.BatchNorm2d(in_channels), convolution)


def _reduce(features: Tensor) -> Tensor:
    if features.shape[-1] == MAP_SIZE:
        return features
    return functional.interpolate(features, size=(MAP_SIZE, MAP_SIZE), mode="nearest")


@torch.no_grad()
def probe_stages(backbone: nn.Module, images: Tensor) -> list[int]:
    """Return the number of channels of each stage's features, leaving weights and statistics as they are.

    Args:
        backbone: In training mode, in which it is left.
        images: A batch of which two images are used; some layers cannot take a single one.

    Raises:
        EvaluationError: The backbone does not give three feature maps of at least 8x8, the last exactly so.
    """
    backbone.eval()
    features = require(backbone, StagedNetwork).forward_stages(images[:2])
    backbone.train()
    if len(features) != NUM_STAGES:
        raise EvaluationError(f"GenNAS needs the features of {NUM_STAGES} stages, the network gave {len(features)}")
    for number, feature in enumerate(features, start=1):
        height, width = feature.shape[-2:]
        at_least = "" if number == NUM_STAGES else "square and at least "
        if height != width or height < MAP_SIZE or (not at_least and height > MAP_SIZE):
            raise EvaluationError(
                f"the features of stage {number} are {height}x{width}, GenNAS needs them "
                f"{at_least}{MAP_SIZE}x{MAP_SIZE}"
            )
    return [feature.shape[1] for feature in features]


@torch.no_grad()
def initialize(network: nn.Module, weights: WeightInit, biases: BiasInit) -> None:
    """Redraw the initial values of convolutions and linear layers, heads included, from the global generator.

    Args:
        network: Changed in place.
        weights: ``xavier``: normal with gain 1; ``kaiming``: normal, fan-in, gain sqrt(2); ``zero``;
            ``default``: as is.
        biases: ``zero``, or ``default``: as they are.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            # Drawn on the CPU, so that networks start alike on all devices.
            values = torch.empty(module.weight.shape)
            if weights == "xavier":
                module.weight.copy_(nn.init.xavier_normal_(values))
            elif weights == "kaiming":
                module.weight.copy_(nn.init.kaiming_normal_(values))
            elif weights == "zero":
                module.weight.zero_()
            if biases == "zero" and module.bias is not None:
                module.bias.zero_()


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Split the parameters into two: weights of convolutions and linear layers, which decay, and the rest.

    The rule is the authors': what decays has "weight" in its name and more than one dimension.
    """
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (decayed if "weight" in name and parameter.dim() > 1 else others).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
