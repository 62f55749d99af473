"""The gradients that ``jacob_cov`` and ``epe_nas`` compare: one row for each image of a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .....core.errors import DegenerateError, DivergedError
from ...probing import forward_in_training


def image_gradients(network: nn.Module, images: Tensor) -> Tensor:
    """Differentiate the sum of all logits of all images by the images.

    One forward pass in training mode and one backward pass; the network is left as found. Batch normalisation couples
    the images: a row also has what its image does to the logits of the others.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).

    Returns:
        Shape (batch, channels * height * width), float32.

    Raises:
        DegenerateError: The logits do not depend on the images.
        DivergedError: The logits or a gradient are not finite.
    """
    leaf = images.detach().requires_grad_()
    with torch.enable_grad():
        logits = forward_in_training(network, leaf)
        gradients = torch.autograd.grad(logits.sum(), leaf, allow_unused=True)[0] if logits.requires_grad else None
    if gradients is None or not gradients.any():
        raise DegenerateError("the gradient by the images is 0: the network has no path from its input to its output")
    if not torch.isfinite(gradients).all():
        raise DivergedError("a gradient by the images is not finite")
    return gradients.flatten(1)


def row_correlations(rows: Tensor) -> Tensor:
    """Return Pearson's correlation of each pair of rows, as ``numpy.corrcoef`` does.

    Args:
        rows: Shape (batch, values).

    Returns:
        Shape (batch, batch), float64, on the CPU, so that what follows is the same on every device.

    Raises:
        DegenerateError: All values of a row are equal.
    """
    constant = int((rows.amax(1) == rows.amin(1)).sum())
    if constant:
        raise DegenerateError(f"the gradients by {constant} of {len(rows)} images are constant and have no correlation")
    centred = rows.to(torch.float64)
    centred = centred - centred.mean(1, keepdim=True)
    directions = centred / centred.norm(dim=1, keepdim=True)
    correlations: Tensor = directions @ directions.T
    return correlations.clamp(-1.0, 1.0).cpu()
