"""``te_nas_ntk``: the condition number of the untrained network's neural tangent kernel.

Source: Chen, Gong, Wang, "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically Inspired
Perspective" (TE-NAS), ICLR 2021, section 3.1.1. The first of the two numbers of TE-NAS; the other is
``te_nas_regions``.
Formula: lambda_max / lambda_min of Theta = G G^T, where row n of G is the gradient of the sum of the logits of
image n by the weights of all layers, those of batch normalisation included; the mean of 3 repeats.
Direction: lower is better.

One batch of real images, not augmented, in training mode, where batch normalisation couples the images; each repeat
draws new weights as the authors' code does: kaiming normal by fan-out, biases 0, batch normalisation 1 and 0. That code
tells weights by their names, where here the layers that run tell. Like theirs, the network has 3 channels and one cell
a stage, where the space has such a network ('narrow'). Deviations: 64 images (theirs 72 on NAS-Bench-201); Theta and
its eigenvalues are float64 (theirs float32, where lambda_min can come out negative), summed over blocks of parameters;
a kernel that is singular to working precision has no score (status ``degenerate``).

There is one backward pass of the whole batch for each image, and G takes 4 * batch * parameters bytes.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError
from .....core.interfaces import Evaluator
from ...layer_parameters import Role
from ...probing import forward_in_training
from ..reinitialization import drawable_parameters, redrawn_state
from ..settings import TeNasNtkSettings

BLOCK_COLUMNS = 2**16
"""Parameters whose gradients are float64 at a time: 32 MiB for 64 images."""


def te_nas_ntk_score(network: nn.Module, images: Tensor, generator: torch.Generator, repeats: int = 3) -> float:
    """Return the mean condition number of the tangent kernel; the network is left as found.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).
        generator: Draws the initial weights, on the CPU.
        repeats: Number of sets of initial weights.

    Returns:
        At least 1.

    Raises:
        DegenerateError: There are no more parameters than images, or a kernel is singular.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: It is not known what a parameter is for.
    """
    parameters = drawable_parameters(network, images.shape[1:])
    draws = (redrawn_state(network, parameters, kaiming_fan_out, generator) for _ in range(repeats))
    names = set(parameters.named(Role.WEIGHT, Role.SCALE, Role.OTHER_WEIGHT))
    return statistics.fmean(condition_number(tangent_kernel(network, images, weights, names)) for weights in draws)


def kaiming_fan_out(values: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a weight tensor from N(0, 2 / fan-out), with PyTorch's count of the fan, which ignores groups."""
    return nn.init.kaiming_normal_(values, mode="fan_out", nonlinearity="relu", generator=generator)


def tangent_kernel(
    network: nn.Module, images: Tensor, initial_weights: Mapping[str, Tensor], names: Collection[str]
) -> Tensor:
    """Return Theta, shape (batch, batch), float64; the network is left as found.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).
        initial_weights: Stand-ins for the network's parameters, by name; the network's own for those that lack one.
        names: Names of the parameters to differentiate by.

    Raises:
        DegenerateError: There are no more parameters than images, or all gradients are 0.
        DivergedError: The logits or a gradient are not finite.
    """
    parameters = {
        name: initial_weights.get(name, parameter).detach().requires_grad_(name in names)
        for name, parameter in network.named_parameters()
    }
    weights = [parameter for parameter in parameters.values() if parameter.requires_grad]
    size = sum(weight.numel() for weight in weights)
    if size <= len(images):
        raise DegenerateError(f"{len(images)} images need more than {len(images)} weights, the network has {size}")
    with torch.enable_grad():
        logits = forward_in_training(network, images, parameters)
        gradients = _gradient_rows(logits.flatten(1).sum(1), weights, size)
    return _gram_matrix(gradients)


def _gradient_rows(outputs: Tensor, weights: list[Tensor], size: int) -> Tensor:
    """Return the gradients of each output, shape (batch, size).

    One backward pass after the other: with ``is_grads_batched`` they take as long and more memory.
    """
    rows = torch.zeros(len(outputs), size, dtype=weights[0].dtype, device=outputs.device)
    if outputs.requires_grad:
        for row, output in zip(rows, outputs, strict=True):
            gradients = torch.autograd.grad(
                output, weights, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            torch.cat([gradient.flatten() for gradient in gradients], out=row)
    return rows


def _gram_matrix(gradients: Tensor) -> Tensor:
    batch_size = len(gradients)
    gram = torch.zeros(batch_size, batch_size, dtype=torch.float64, device=gradients.device)
    for block in torch.split(gradients, BLOCK_COLUMNS, dim=1):
        columns = block.to(torch.float64)
        gram.addmm_(columns, columns.T)
    if not torch.isfinite(gram).all():
        raise DivergedError("a gradient is not finite")
    if not gram.any():
        raise DegenerateError("every gradient is 0: the network has no path from its input to its output")
    return gram


def condition_number(kernel: Tensor) -> float:
    """Return lambda_max / lambda_min of a symmetric positive definite matrix in float64.

    Raises:
        DegenerateError: The matrix is singular to working precision.
    """
    eigenvalues = torch.linalg.eigvalsh(kernel.cpu())  # on the CPU, so that it is the same on every device
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    if smallest <= len(kernel) * torch.finfo(torch.float64).eps * largest:
        raise DegenerateError(
            f"the tangent kernel of {len(kernel)} images is singular: its smallest eigenvalue is {smallest:.1e}, its "
            f"largest {largest:.1e}"
        )
    return largest / smallest


class TeNasNtk(Evaluator[TeNasNtkSettings]):
    """Scores an architecture by the condition number of its neural tangent kernel."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        images = context.batch(self.settings.batch_size).inputs
        return te_nas_ntk_score(network, images, context.generator("weights"), self.settings.repeats)
