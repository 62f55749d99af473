"""Layers that say what a network computes, so that an evaluator can compute it faster; no network needs them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Branches(nn.ModuleDict):
    """Layers by name that all get the same input.

    GenNAS makes one wide layer of branches that are convolution, batch normalisation and ReLU of the same shape, but
    for the channels of their outputs; so they are to be called through this layer alone.
    """

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each, in their order."""
        return tuple(branch(features) for branch in self.values())


class Concatenation(nn.Module):
    """The channels of several tensors in one."""

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Concatenate tensors ``(batch, channels, ...)`` along the channels."""
        return torch.cat(tuple(parts), dim=1)
