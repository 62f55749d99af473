"""``az_nas_expressivity`` and ``az_nas_progressivity``: how varied the feature maps are, and whether they get more so.

Source: Lee, Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024, section 3.2.
Formula: s_i is the entropy of the eigenvalues, divided by their sum, of the covariance matrix of the channels of
feature map F_i, pixels and images being the observations. Expressivity is the sum of s_i over i = 0 (the stem) ..
number of blocks; progressivity is the smallest of s_i - s_(i-1).
Direction: higher is better for both.

Weights of convolutions and linear layers are N(0, 2 / fan-in), biases 0; one batch of 64 N(0, 1) images of the data
set's size; training mode; one forward pass and no backward pass. The blocks are those of the network's
``forward_blocks``: on NAS-Bench-201 the authors' (5 cells in each of 3 stages and 2 reduction blocks, 18 maps with the
stem). Their aggregate with trainability and multiply-adds depends on the other architectures and is made in reports.

Deviations from the authors' code: covariances and entropies are float64, negative eigenvalues, which are rounding
errors, count as 0 (the code's logarithm turns them into -inf), and the entropy has no 1e-8 inside its logarithm; a map
without any variance has no score (status ``degenerate``; -inf in the code); each of the three measures draws its own
weights and images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .....core.capabilities import BlockNetwork, require
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from ...checkpoints import checkpoints_ignored
from ...memory_layout import channels_last_inputs
from ...probing import network_mode
from ...stand_ins import run_with
from ..reinitialization import drawable_parameters, kaiming_normal, redrawn_state
from ..settings import AzNasSettings


class _Blocks(nn.Module):
    """Has a forward pass that returns the outputs of all blocks."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> list[Tensor]:
        return require(self.network, BlockNetwork).forward_blocks(images)


class _BlocksAndClassifier(_Blocks):
    """Runs what is behind the blocks as well, so that the weights there are drawn too."""

    def forward(self, images: Tensor) -> list[Tensor]:
        self.network(images)
        return super().forward(images)


def block_features(
    network: nn.Module,
    input_shape: tuple[int, ...],
    batch_size: int,
    generator: torch.Generator,
    *,
    differentiable: bool = False,
) -> list[Tensor]:
    """Return the outputs of stem and blocks for Gaussian images and weights; the network is left as found.

    Args:
        network: A :class:`BlockNetwork`.
        input_shape: ``(channels, height, width)``.
        batch_size: Number of images.
        generator: Source of weights and images, on the CPU.
        differentiable: Whether the outputs can be differentiated by each other.

    Raises:
        DivergedError: An output is not finite.
        EvaluationError: There are fewer than two, or it is not known what a parameter is for.
    """
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    blocks = _Blocks(network)
    parameters = drawable_parameters(_BlocksAndClassifier(network), input_shape)
    state = redrawn_state(blocks, parameters, kaiming_normal, generator)
    images = torch.randn((batch_size, *input_shape), generator=generator).to(device)
    images = channels_last_inputs(blocks, images).requires_grad_(differentiable)
    with network_mode(network, training=True), torch.set_grad_enabled(differentiable), checkpoints_ignored():
        features: list[Tensor] = run_with(blocks, state, images)
    if len(features) < 2:
        raise EvaluationError("AZ-NAS needs the outputs of a stem and at least one block")
    # NaN and infinities show in the extremes, many times faster than by a look at every value.
    if not all(bool(torch.isfinite(torch.stack(feature.detach().aminmax())).all()) for feature in features):
        raise DivergedError("the output of a block is not finite")
    return features


def channel_rows(features: Tensor) -> Tensor:
    """Reshape (batch, channels, ...) to (channels, batch * pixels), float64."""
    return features.detach().transpose(0, 1).flatten(1).double()


def channel_entropy(features: Tensor) -> float:
    """Return the entropy in nats of the normalised spectrum of the channel covariance.

    Args:
        features: Shape (batch, channels, ...).

    Returns:
        Between 0 and log(channels).

    Raises:
        DegenerateError: All channels are constant.
    """
    axes = [axis for axis in range(features.dim()) if axis != 1]
    if torch.equal(features.amin(axes), features.amax(axes)):
        raise DegenerateError("the output of a block is constant: no path leads from the input to it")
    rows = channel_rows(features)
    rows -= rows.mean(dim=1, keepdim=True)
    covariance = (rows @ rows.T / rows.shape[1]).cpu()  # so that it is the same on every device
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp_min(0.0)
    return float(torch.special.entr(eigenvalues / eigenvalues.sum()).sum())


def expressivity(features: Sequence[Tensor]) -> float:
    """Return the summed entropy of the blocks' outputs.

    Raises:
        DegenerateError: One of them is constant.
    """
    return math.fsum(channel_entropy(feature) for feature in features)


def progressivity(features: Sequence[Tensor]) -> float:
    """Return the smallest gain in entropy from one block's output to the next.

    Raises:
        DegenerateError: An output is constant.
    """
    entropies = [channel_entropy(feature) for feature in features]
    return min(later - earlier for earlier, later in pairwise(entropies))


def features_of_job(context: EvaluationContext, network: str, batch_size: int) -> list[Tensor]:
    """Return what both scores are made of, as in the authors' code, a pass that they share."""
    made = context.network(network)
    return block_features(made, context.dataset.input_shape, batch_size, context.generator("az_nas"))


class AzNasExpressivity(Evaluator[AzNasSettings]):
    """Scores an architecture by the summed entropy of its blocks' outputs."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return expressivity(context.shared_pass(features_of_job, settings.network, settings.batch_size))


class AzNasProgressivity(Evaluator[AzNasSettings]):
    """Scores an architecture by the smallest gain in entropy of a block."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return progressivity(context.shared_pass(features_of_job, settings.network, settings.batch_size))
