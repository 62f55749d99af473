"""Parameters and multiply-adds of a network, counted without computing anything."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ....core.descriptions import DatasetInfo
from ....core.interfaces import SearchSpace


def count(space: SearchSpace, arch_id: str, dataset: DatasetInfo, variant: str) -> tuple[int, int]:
    """Return the parameters of an architecture's network, and the multiply-adds of its convolutions and linear layers.

    Args:
        space: The search space.
        arch_id: Canonical string.
        dataset: Decides the size of the images and the number of outputs.
        variant: The network.
    """
    macs = 0

    def observe(module: nn.Module, _arguments: Any, output: torch.Tensor) -> None:
        nonlocal macs
        macs += output.numel() * module.weight[0].numel()  # type: ignore[index]

    # Tensors of this device have shapes and no values.
    with torch.device("meta"), torch.no_grad():
        network = space.build_network(arch_id, dataset, variant).eval()
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(observe)
        network(torch.zeros(1, *dataset.input_shape))
    return sum(parameter.numel() for parameter in network.parameters()), macs
