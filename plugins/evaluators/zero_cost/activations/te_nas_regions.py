"""``te_nas_regions``: in how many linear regions of the untrained network small image crops fall.

Source: Chen, Gong, Wang, "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically Inspired
Perspective" (TE-NAS), ICLR 2021, section 3.1.2. The second of the two numbers of TE-NAS; the other is
``te_nas_ntk``.
Formula: number of distinct patterns of ReLU units on and off among 3,000 crops, which is the authors' sum over
crops of 1 / (number of crops with the same pattern); the mean of 3 repeats. At most 3,000.
Direction: higher is better.

As in the authors' code a crop is one channel, drawn at random, of a random place in a normalised training image,
passes are in training mode with 1,000 crops each, every repeat draws new crops and new weights (kaiming normal by
fan-in, biases 0, batch normalisation 1 and 0), and only ReLUs on feature maps count. The network is a single cell with
one channel and no stem, followed by batch normalisation and ReLU, where the space has such a network ('te-nas'): in a
whole network most crops get a pattern of their own, and the counts say little. Deviations: crops come from 256 images
(theirs are 3,000 images), and are the same for all architectures of a run.
"""

from __future__ import annotations

import math
import statistics

import numpy as np
import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.errors import EvaluationError
from .....core.interfaces import Evaluator
from ..reinitialization import drawable_parameters, kaiming_normal, redrawn_state
from ..settings import TeNasRegionsSettings
from .relu_patterns import map_relu_patterns

PASS_CROPS = 1000
"""Crops in one forward pass (released code), which share the statistics of batch normalisation."""


def te_nas_regions_score(network: nn.Module, crops: Tensor, generator: torch.Generator) -> float:
    """Return the mean number of distinct patterns; the network is left as found.

    Args:
        network: Takes images of shape (batch, channels, side, side).
        crops: Shape (repeats, crops, channels, side, side).
        generator: Draws the initial weights of each repeat, on the CPU.

    Raises:
        DegenerateError: No ReLU on feature maps has run.
        DivergedError: The logits are not finite.
        EvaluationError: It is not known what a parameter is for.
    """
    parameters = drawable_parameters(network, crops.shape[2:])
    return statistics.fmean(
        count_regions(network, repeat, redrawn_state(network, parameters, kaiming_normal, generator))
        for repeat in crops
    )


def count_regions(network: nn.Module, crops: Tensor, weights: dict[str, Tensor]) -> int:
    """Count the distinct patterns of ReLU units that are on.

    Args:
        network: Takes ``crops``.
        crops: Shape (crops, channels, side, side).
        weights: Stand-ins for the network's parameters, by name.

    Raises:
        DegenerateError: No ReLU on feature maps has run.
        DivergedError: The logits are not finite.
    """
    passes = torch.tensor_split(crops, math.ceil(len(crops) / PASS_CROPS))
    patterns = torch.cat([torch.cat(map_relu_patterns(network, part, weights, pack_images), 1) for part in passes])
    rows = patterns.numpy()
    return len(np.unique(rows.view(np.dtype((np.void, rows.shape[1])))))


def pack_images(units_on: Tensor) -> Tensor:
    """Pack each image's pattern, shape (batch, units), bool, into bytes, shape (batch, ceil(units / 8)), on the CPU."""
    return torch.from_numpy(np.packbits(units_on.cpu().numpy(), axis=1))


def random_crops(images: Tensor, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Cut ``count`` random squares out of random channels of random images.

    Args:
        images: Shape (batch, channels, height, width).
        count: Number of crops.
        side: Height and width of a crop, at most those of an image.
        generator: On the CPU.

    Returns:
        Shape (count, 1, side, side).

    Raises:
        EvaluationError: A crop is larger than an image.
    """
    batch_size, channels, height, width = images.shape
    if side > min(height, width):
        raise EvaluationError(f"crops of {side}x{side} pixels do not fit into images of {height}x{width}")

    def draw(limit: int) -> Tensor:
        return torch.randint(limit, (count, 1, 1), generator=generator).to(images.device)

    offsets = torch.arange(side, device=images.device)
    image, channel = draw(batch_size), draw(channels)
    rows = draw(height - side + 1) + offsets[:, None]
    columns = draw(width - side + 1) + offsets
    return images[image, channel, rows, columns].unsqueeze(1)


class TeNasRegions(Evaluator[TeNasRegionsSettings]):
    """Scores an architecture by the number of linear regions that image crops fall in."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        side = settings.side
        images = context.batch(settings.batch_size).inputs

        def cut(generator: torch.Generator) -> Tensor:
            crops = random_crops(images, settings.repeats * settings.crops, side, generator)
            return crops.reshape(settings.repeats, settings.crops, *crops.shape[1:])

        crops = context.shared("te_nas_regions crops", cut)
        network = context.network(settings.network, input_shape=(1, side, side))
        return te_nas_regions_score(network, crops, context.generator("weights"))
