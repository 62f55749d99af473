"""How the gradients that ``jacob_cov`` and ``epe_nas`` compare are correlated: one row for each input of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from .....core.errors import DegenerateError


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
        raise DegenerateError(f"the gradients by {constant} of {len(rows)} inputs are constant and have no correlation")
    centred = rows.to(torch.float64)
    centred = centred - centred.mean(1, keepdim=True)
    directions = centred / centred.norm(dim=1, keepdim=True)
    correlations: Tensor = directions @ directions.T
    return correlations.clamp(-1.0, 1.0).cpu()
