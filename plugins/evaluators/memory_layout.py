"""Channels last in memory, in which convolutions on a CPU take a third to nine tenths of the time.

A network may be written for channels first only: ``view`` of whole maps as vectors, without a copy, fails otherwise. So
each is tried with two inputs.

PyTorch's batch normalisation adds up such maps one value after the other in float32: means are off by some 4e-6 of the
deviation with 64 maps of 32x32 pixels, where it is 3e-8 with channels first. Measures of weights' gradients, in which
that becomes up to a percent, therefore normalise by themselves (``zero_cost.twice_differentiable``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...core.seeding import seeded_global_rng
from .checkpoints import checkpoints_ignored
from .probing import network_mode
from .stand_ins import run_with

IMAGE_DIMENSIONS = 4
"""Batch, channels, height and width."""

_INPUTS_TO_TRY = 2
"""Batch normalisation behind global pooling cannot take one."""


def channels_last_inputs(network: nn.Module, inputs: Tensor) -> Tensor:
    """Return images with their channels last in memory if they are on a CPU and the network takes them so.

    Args:
        network: Takes ``inputs``; left as found.
        inputs: Shape (batch, ...); what are no images are returned as they are.
    """
    if inputs.device.type != "cpu" or inputs.dim() != IMAGE_DIMENSIONS:
        return inputs
    arranged = inputs.contiguous(memory_format=torch.channels_last)
    return arranged if _runs(network, arranged) else inputs


def order_channels_last(network: nn.Module, inputs: Tensor) -> bool:
    """Put the channels of a network's weights last in memory if it is on a CPU and runs so.

    Args:
        network: Changed in place.
        inputs: What it takes, shape (batch, ...), two of them or more; it must run with images whose channels are last.

    Returns:
        Whether it does; if not, channels are first.
    """
    if inputs.device.type != "cpu":
        return False
    if inputs.dim() == IMAGE_DIMENSIONS:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if _runs(network, inputs):
        return True
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return False


def _runs(network: nn.Module, inputs: Tensor) -> bool:
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        with torch.no_grad(), seeded_global_rng(0), network_mode(network, training=True), checkpoints_ignored():
            run_with(network, buffers, inputs.detach()[:_INPUTS_TO_TRY].clone())
    except Exception:
        # Whatever else is wrong, the evaluator's own pass will meet it and say so.
        return False
    return True


def is_dense(values: Tensor) -> bool:
    """Return whether values lie in memory without gaps, the channels of maps first or last."""
    is_last = values.dim() == IMAGE_DIMENSIONS and values.is_contiguous(memory_format=torch.channels_last)
    return values.is_contiguous() or is_last
