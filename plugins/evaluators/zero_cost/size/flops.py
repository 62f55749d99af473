"""``flops``: multiply-adds of one image, the cost baseline.

Formula: sum over all executed convolutions and linear layers of (number of output values) x (fan-in of one).
Direction: higher is better.

The name is the published one, but like most published tables it counts multiply-adds; floating-point
operations are about twice as many. Biases, normalisation, activations, pooling and matrix products outside
linear layers are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ..probing import BatchNormBypass, argument, network_mode
from ..settings import NetworkSettings

_GATHERING = (functional.conv1d, functional.conv2d, functional.conv3d, functional.linear)
_SCATTERING = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)


class _MacCounter(TorchFunctionMode):
    """Adds up ``macs`` of all convolutions and linear layers that run while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the call and count it if it is one of those layers."""
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if func in _GATHERING or func in _SCATTERING:
            weight: Tensor = argument(args, kwargs, 1, "weight")
            # Each output of a convolution gathers one filter's fan-in; each input of a transposed one
            # scatters its own.
            values: Tensor = output if func in _GATHERING else argument(args, kwargs, 0, "input")
            self.macs += values.numel() * weight[0].numel()
        return output


def count_macs(network: nn.Module, image_shape: tuple[int, int, int]) -> int:
    """Count the multiply-adds of one image by running one; the network is left as found.

    Args:
        network: Takes images of shape (1, channels, height, width).
        image_shape: ``(channels, height, width)``.
    """
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    image = torch.zeros((1, *image_shape), device=device)
    # Bypassing batch normalisation changes no shape, and lets one image pass where it has no running
    # statistics.
    counter = _MacCounter()
    with network_mode(network, training=False), torch.no_grad(), BatchNormBypass(), counter:
        network(image)
    return counter.macs


class Flops(Evaluator[NetworkSettings]):
    """Scores an architecture by its multiply-adds for one image of the data set."""

    def _evaluate(self, context: EvaluationContext) -> float:
        return float(count_macs(context.network(self.settings.network), context.dataset.image_shape))
