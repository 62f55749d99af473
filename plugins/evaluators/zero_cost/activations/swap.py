"""``swap``: how many different patterns the ReLU units of the untrained network make over one batch.

Source: Peng, Song, Fayek, Ciesielski, Chang, "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS", ICLR
2024, section 3.
Formula: number of distinct rows of the binary matrix units x images, 1 where the output of the ReLU is positive;
the mean of 32 repeats. Regularised, if ``mu`` and ``sigma`` are given: times exp(-(P - mu)^2 / sigma), with P the
number of parameters in thousands. The authors choose mu and sigma for each search space from what is known about
its good architectures, so a regularised score is not free of prior knowledge; the default is not regularised.
Direction: higher is better.

Forward passes in training mode of one batch of real images, not augmented; as in the authors' code each repeat
draws the weights of convolutions and linear layers from N(0, 1), biases are 0, batch normalisation is 1 and 0, and
only ReLUs on feature maps count. Deviations from it: the benchmark's network (theirs is one cell with 3 channels
and no stem); 32 images (theirs 16: of their 65,536 patterns the larger networks of NAS-Bench-201 make nearly all,
so counts crowd below that limit); patterns are compared as packed bits; a count that reaches 2^images, and hence
says nothing, is no score (status ``degenerate``). As there, ReLUs count that lead nowhere; a network in which no unit
depends on the image has one pattern.
"""

from __future__ import annotations

import math
import statistics

import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError
from .....core.interfaces import Evaluator
from ...memory_layout import channels_last_inputs
from ..layer_sizes import count_params
from ..reinitialization import drawable_parameters, redrawn_state, standard_normal
from ..settings import MINIMUM_SWAP_IMAGES, SwapSettings
from .relu_patterns import map_relu_patterns

_WORD_BYTES = 8


def swap_score(network: nn.Module, images: Tensor, generator: torch.Generator, repeats: int = 32) -> float:
    """Return the mean number of distinct patterns; the network is left as found.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).
        generator: Draws the initial weights, on the CPU.
        repeats: Number of sets of initial weights.

    Raises:
        DegenerateError: The batch is so small that every pattern occurs, or no ReLU on feature maps has run.
        DivergedError: The logits are not finite.
        EvaluationError: It is not known what a parameter is for.
    """
    if len(images) < MINIMUM_SWAP_IMAGES:
        raise DegenerateError(
            f"{len(images)} images have only {2 ** len(images)} activation patterns, which every network makes: "
            f"use at least {MINIMUM_SWAP_IMAGES} images"
        )
    parameters = drawable_parameters(network, images.shape[1:])
    images = channels_last_inputs(network, images)
    draws = (redrawn_state(network, parameters, standard_normal, generator) for _ in range(repeats))
    return statistics.fmean(count_patterns(network, images, weights) for weights in draws)


def count_patterns(network: nn.Module, images: Tensor, weights: dict[str, Tensor]) -> int:
    """Count the distinct patterns that the network's ReLU units make over the images.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).
        weights: Stand-ins for the network's parameters, by name.

    Raises:
        DegenerateError: All 2^batch patterns occur, or no ReLU on feature maps has run.
        DivergedError: The logits are not finite.
    """
    patterns = torch.cat(map_relu_patterns(network, images, weights, pack_units))
    # One column is faster without the dimension.
    count = len(torch.unique(patterns) if patterns.shape[1] == 1 else torch.unique(patterns, dim=0))
    if count == 2 ** len(images):
        raise DegenerateError(
            f"all {count} activation patterns of {len(images)} images occur, so their number says nothing: "
            "use a larger batch_size"
        )
    return count


def pack_units(units_on: Tensor) -> Tensor:
    """Pack each unit's pattern into whole numbers, one bit for each image.

    Args:
        units_on: Shape (batch, units), bool.

    Returns:
        Shape (units, words), int64, where words = ceil(batch / 64).
    """
    batch_size, units = units_on.shape
    words = math.ceil(batch_size / (8 * _WORD_BYTES))
    packed = torch.zeros(words * _WORD_BYTES, units, dtype=torch.uint8, device=units_on.device)
    for position, bits in enumerate(units_on.view(torch.uint8)):
        packed[position // 8].add_(bits, alpha=2 ** (position % 8))
    return packed.T.contiguous().view(torch.int64)


def parameter_regularisation(parameters: int, mu: float, sigma: float) -> float:
    """Return exp(-(P - mu)^2 / sigma), with P the number of parameters in thousands."""
    thousands = parameters / 1000
    return math.exp(-((thousands - mu) ** 2) / sigma)


class Swap(Evaluator[SwapSettings]):
    """Scores an architecture by the number of its ReLU units' activation patterns."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        network = context.network(settings.network)
        images = context.batch(settings.batch_size).inputs
        score = swap_score(network, images, context.generator("weights"), settings.repeats)
        if settings.mu is None or settings.sigma is None:
            return score
        parameters = count_params(network, context.dataset.input_shape)
        return score * parameter_regularisation(parameters, settings.mu, settings.sigma)
