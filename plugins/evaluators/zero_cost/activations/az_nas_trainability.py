"""``az_nas_trainability``: whether the blocks of an untrained network keep gradients at their scale.

Source: Lee, Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024, section 3.2.
Formula: mean over blocks i of 2 - sigma_i - 1 / (sigma_i + 1e-6), where sigma_i is the largest singular value of
g_in^T g_out / (number of images and pixels). g_out holds random signs at the output of block i, and g_in is the
vector-Jacobian product of the block: the gradient of <g_out, F_i> by F_(i-1).
Direction: higher is better; the largest possible value, for sigma_i = 1, is 0 (up to 1e-6).

Weights, images, mode and blocks are those of ``az_nas_expressivity``. Where a block lowers the resolution by a factor
of r, the r x r pixels of g_in behind an output pixel become channels (pixel-unshuffle). Deviations from the authors'
code: products and singular values are float64; only inputs are differentiated, no weights; a block that hands the signs
on as they are (an identity; -inf in the code) and a block that passes no gradient at all (about -1e6 in the code) leave
the architecture without a score (status ``degenerate``, ranked last).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from ..settings import AzNasSettings
from .az_nas_features import block_features, channel_rows

_EPSILON = 1e-6
"""Keeps the reciprocal finite, as in the authors' code."""


def trainability(features: Sequence[Tensor], generator: torch.Generator) -> float:
    """Return the mean score of the blocks.

    Args:
        features: Outputs of the stem and of each block, which can be differentiated by each other; used up.
        generator: Source of the random signs, on the CPU.

    Raises:
        DegenerateError: A block is an identity or passes no gradient.
        DivergedError: A gradient is not finite.
        EvaluationError: A block changes the resolution by something else than a whole factor.
    """
    sigmas = []
    # Last block first, so that each backward pass can free its part of the graph.
    for index in range(len(features) - 1, 0, -1):
        signs = _random_signs(features[index], generator)
        gradient = _vector_jacobian_product(features[index], features[index - 1], signs)
        _check(gradient, signs, index)
        sigmas.append(_largest_singular_value(_unshuffle(gradient, signs), signs))
    return math.fsum(2.0 - sigma - 1.0 / (sigma + _EPSILON) for sigma in sigmas) / len(sigmas)


def _random_signs(features: Tensor, generator: torch.Generator) -> Tensor:
    signs = torch.empty(features.shape, dtype=features.dtype).random_(0, 2, generator=generator)
    return signs.mul_(2.0).sub_(1.0).to(features.device)


def _vector_jacobian_product(output: Tensor, source: Tensor, signs: Tensor) -> Tensor:
    if not output.requires_grad:
        return torch.zeros_like(source)
    (gradient,) = torch.autograd.grad(output, source, grad_outputs=signs, allow_unused=True)
    return torch.zeros_like(source) if gradient is None else gradient


def _check(gradient: Tensor, signs: Tensor, index: int) -> None:
    # The extremes tell both, many times faster than a look at every value.
    extremes = torch.stack(gradient.aminmax())
    if not torch.isfinite(extremes).all():
        raise DivergedError(f"the gradient through block {index} is not finite")
    if not extremes.any():
        raise DegenerateError(f"block {index} passes no gradient: no path leads from its input to its output")
    if torch.equal(gradient, signs):
        raise DegenerateError(f"block {index} is an identity, whose trainability is undefined")


def _unshuffle(gradient: Tensor, signs: Tensor) -> Tensor:
    """Turn the pixels of ``gradient`` behind each pixel of ``signs`` into channels."""
    (height, width), (low_height, low_width) = gradient.shape[2:], signs.shape[2:]
    factor = height // low_height
    if (height, width) != (factor * low_height, factor * low_width):
        raise EvaluationError(f"a block maps {height}x{width} pixels to {low_height}x{low_width}, no whole factor")
    return functional.pixel_unshuffle(gradient, factor)


def _largest_singular_value(gradient: Tensor, signs: Tensor) -> float:
    rows = channel_rows(gradient)
    matrix = (rows @ channel_rows(signs).T / rows.shape[1]).cpu()  # so that it is the same on every device
    return float(torch.linalg.matrix_norm(matrix, ord=2))


class AzNasTrainability(Evaluator[AzNasSettings]):
    """Scores an architecture by how well its blocks keep gradients at their scale."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        network, shape = context.network(settings.network), context.dataset.input_shape
        features = block_features(network, shape, settings.batch_size, context.generator("az_nas"), differentiable=True)
        return trainability(features, context.generator("signs"))
