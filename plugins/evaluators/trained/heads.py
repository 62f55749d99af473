"""Building a task's head on the features that a network pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ....core.capabilities import StagedNetwork, require
from ....core.context import EvaluationContext
from ....core.errors import EvaluationError
from ..observe import Call, observe_calls, refuse_mapped

HeadT = TypeVar("HeadT", bound=nn.Module)


class PooledFeatures(nn.Module):
    """Gives the feature map that a network pools before its classifier.

    It is the last map of the last stage's height and width that a forward pass computes. What ``forward_stages``
    returns would not do: NAS-Bench-201 normalises its last stage before pooling, and without that cells that add up
    many skip connections have features so large that training diverges.

    Attributes:
        network: With classifier, whose output is ignored.
        size: Height and width of the last stage.
        channels: Channels of the feature map.
    """

    def __init__(self, network: nn.Module, input_shape: tuple[int, ...]) -> None:
        """Look at a network, which must be in training mode and is left as it is.

        Args:
            network: A :class:`StagedNetwork`.
            input_shape: Channels, height and width of its images.
        """
        super().__init__()
        self.network = network
        images = torch.zeros(2, *input_shape, device=next(network.parameters()).device)
        network.eval()
        with torch.no_grad():
            self.size = require(network, StagedNetwork).forward_stages(images)[-1].shape[2:]
            self.channels = self(images).shape[1]
        network.train()

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(batch, *input_shape)`` to features ``(batch, channels, *size)``.

        Raises:
            EvaluationError: No call of the network returns such features.
        """
        last = _LastMap(self.size)
        with observe_calls(last.observe):
            self.network(images)
        if last.found is None:
            raise EvaluationError(f"the network computes no feature map of {self.size[0]}x{self.size[1]}")
        return last.found


class _LastMap:
    """Keeps the last feature map of one size that a call computes."""

    def __init__(self, size: torch.Size) -> None:
        self.size = size
        self.found: Tensor | None = None

    def observe(self, call: Call) -> Any:
        """Make the call and look at what it returns."""
        refuse_mapped(call)
        output = call()
        is_map = isinstance(output, Tensor) and output.is_floating_point() and output.dim() == 4
        if is_map and output.shape[2:] == self.size:
            self.found = output
        return output


def seeded_head(context: EvaluationContext, build: Callable[[], HeadT]) -> HeadT:
    """Build a head with PyTorch's initial weights, the same whichever evaluator asks; on the context's device."""
    with context.initial_weights("head"):
        head = build()
    return head.to(context.device)
