"""A network as a program of ``torch.export``: its graph in evaluation, and its weights."""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence

import torch
from torch import nn

from .forward_pass import UnsupportedNetworkError

_BATCH = 2


def write_program(network: nn.Module, shape: Sequence[int], batch_dimension: int = 0) -> bytes:
    """Return the content of a ``.pt2`` file, which ``torch.export.load`` reads.

    The program takes batches of any size, and computes what the network does in evaluation.

    Args:
        network: Takes one tensor; it is left as it is.
        shape: Of the tensor, without the batch.
        batch_dimension: Where the size of the batch stands in the tensor's shape.

    Raises:
        UnsupportedNetworkError: ``torch.export`` refuses the network.
    """
    example = torch.zeros((*shape[:batch_dimension], _BATCH, *shape[batch_dimension:]))
    buffer = io.BytesIO()
    try:
        program = torch.export.export(
            copy.deepcopy(network).eval(),
            (example,),
            dynamic_shapes=({batch_dimension: torch.export.Dim("batch")},),
        )
        torch.export.save(program, buffer)
    except Exception as error:
        raise UnsupportedNetworkError(f"torch.export refuses it: {type(error).__name__}: {error!s:.200}") from error
    return buffer.getvalue()
