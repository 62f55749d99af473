"""Counts the multiply-adds of a network by running it once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.errors import EvaluationError
from .checkpoints import checkpoints_ignored
from .executed_weights import COMPLEX_WEIGHT, ExecutedWeights, as_rows, check_visible
from .observe import Call, observe_calls
from .probing import batch_norm_bypassed, blank_input, leaf_parameters, network_mode
from .stand_ins import run_with

_GATHERING = (functional.conv1d, functional.conv2d, functional.conv3d, functional.linear)
_SCATTERING = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)


class _MacCounter:
    """Adds up ``macs`` of all convolutions and linear layers that it observes."""

    def __init__(self, weights: ExecutedWeights) -> None:
        self.macs = 0
        self._weights = weights

    def observe(self, call: Call) -> Any:
        """Make the call and count it if it is one of those layers.

        Raises:
            EvaluationError: Outputs are computed where they are not seen, or of complex weights.
        """
        self._weights.refuse_products(call)
        output = self._weights.noted(call, call())
        if call.function not in _GATHERING and call.function not in _SCATTERING:
            return output
        weight: Tensor = call.argument(1, "weight")
        if weight.is_complex():
            raise EvaluationError(COMPLEX_WEIGHT)
        if weight.numel():
            # Each output of a convolution gathers one filter's fan-in; each input of a transposed one
            # scatters its own.
            values: Tensor = output if call.function in _GATHERING else call.argument(0, "input")
            self.macs += values.numel() * as_rows(weight)[0].numel()
        return output


def count_macs(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Count the multiply-adds of one image by running one; the network is left as found.

    Args:
        network: Takes images of shape (1, channels, height, width).
        input_shape: ``(channels, height, width)``.

    Raises:
        EvaluationError: The network's layers cannot be looked at, or have complex weights.
    """
    check_visible(network)
    parameters = leaf_parameters(network)
    # Derivatives tell what is computed of the image from what is computed of parameters alone.
    image = blank_input(network, input_shape)
    # Bypassing batch normalisation changes no shape, and lets one image pass where it has no running
    # statistics.
    counter = _MacCounter(ExecutedWeights(parameters, network))
    with (
        network_mode(network, training=False),
        torch.enable_grad(),
        checkpoints_ignored(),
        batch_norm_bypassed(),
        observe_calls(counter.observe),
    ):
        run_with(network, parameters, image.clone())
    return counter.macs
