"""Counts the multiply-adds of a network by running it once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .observe import Call, observe_calls
from .probing import batch_norm_bypassed, network_mode

_GATHERING = (functional.conv1d, functional.conv2d, functional.conv3d, functional.linear)
_SCATTERING = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)


class _MacCounter:
    """Adds up ``macs`` of all convolutions and linear layers that it observes."""

    def __init__(self) -> None:
        self.macs = 0

    def observe(self, call: Call) -> Any:
        """Make the call and count it if it is one of those layers."""
        output = call()
        if call.function in _GATHERING or call.function in _SCATTERING:
            weight: Tensor = call.argument(1, "weight")
            # Each output of a convolution gathers one filter's fan-in; each input of a transposed one
            # scatters its own.
            values: Tensor = output if call.function in _GATHERING else call.argument(0, "input")
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
    with network_mode(network, training=False), torch.no_grad(), batch_norm_bypassed(), observe_calls(counter.observe):
        network(image)
    return counter.macs
