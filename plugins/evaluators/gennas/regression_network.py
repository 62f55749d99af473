"""The network that GenNAS trains: an architecture without its classifier, and a small head on each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.capabilities import StagedNetwork, require
from ....core.errors import EvaluationError
from ..executed_weights import as_rows
from ..layer_parameters import LayerParameters, Role, layer_parameters, trainable_parameters
from .momentum_descent import Group
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


class _WithClassifier(nn.Module):
    """Runs the backbone's classifier as well, so that all layers are seen."""

    def __init__(self, network: RegressionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> None:
        self.network(images)
        self.network.backbone(images)


def regression_parameters(network: RegressionNetwork, input_shape: tuple[int, ...]) -> LayerParameters:
    """Find what the parameters are for, those of the classifier included, which is not trained.

    Args:
        network: Left as found.
        input_shape: ``(channels, height, width)``.

    Raises:
        EvaluationError: The network trains otherwise than its function tells, or its layers cannot be looked at.
    """
    trainable_parameters(network, input_shape)
    found = layer_parameters(_WithClassifier(network), input_shape)
    return found.without_prefix("network.")


@torch.no_grad()
def initialize(network: nn.Module, found: LayerParameters, weights: WeightInit, biases: BiasInit) -> None:
    """Redraw the initial values of convolutions and linear layers, heads included, from the global generator.

    Args:
        network: Changed in place.
        found: What its parameters are for.
        weights: ``xavier``: normal with gain 1; ``kaiming``: normal, fan-in, gain sqrt(2); ``zero``;
            ``default``: as is.
        biases: ``zero``, or ``default``: as they are.

    Raises:
        EvaluationError: There are to be other values, and it is not known what a parameter is for.
    """
    if weights == biases == "default":
        return
    _check_known(network, found)
    for name, parameter in network.named_parameters():
        role = found.roles.get(name)
        if role is Role.WEIGHT and weights != "default":
            # Drawn on the CPU, so that networks start alike on all devices.
            parameter.copy_(_DRAWS[weights](as_rows(torch.empty(parameter.shape))).view(parameter.shape))
        elif role is Role.BIAS and biases == "zero":
            parameter.zero_()


_DRAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "xavier": nn.init.xavier_normal_,
    "kaiming": nn.init.kaiming_normal_,
    "zero": nn.init.zeros_,
}


def _check_known(network: nn.Module, found: LayerParameters) -> None:
    reshaped = (name for name, view in found.views.items() if _is_reshaped(view, network.get_parameter(name)))
    unknown = [*found.named(Role.UNKNOWN), *reshaped]
    if unknown or found.multiplies:
        raise EvaluationError(
            "it gives convolutions and linear layers other initial values, and cannot tell what "
            f"{repr(min(unknown)) if unknown else 'the factors of a product'} is to be: use the layers of torch.nn, or "
            "functions of torch.nn.functional"
        )


def _is_reshaped(view: Tensor, parameter: Tensor) -> bool:
    """Return whether a layer gets a whole parameter as another matrix or kernel, of another fan-in."""
    return view.numel() == parameter.numel() and as_rows(view).shape != as_rows(parameter).shape


def parameter_groups(
    named: Iterable[tuple[str, nn.Parameter]], found: LayerParameters, weight_decay: float
) -> list[Group]:
    """Split parameters into two, each with its weight decay: weights of layers, which decay, and the rest.

    The rule is the authors', who tell weights by their names, where here the layers that run tell: what decays are
    weights of convolutions and linear layers, and of others those of more than one dimension.

    Args:
        named: What is trained.
        found: What the parameters are for.
        weight_decay: Of the first group.
    """
    weights, other_weights = set(found.named(Role.WEIGHT)), set(found.named(Role.OTHER_WEIGHT))
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in named:
        decays = name in weights or (name in other_weights and parameter.dim() > 1)
        (decayed if decays else others).append(parameter)
    return [(decayed, weight_decay), (others, 0.0)]
