"""Loops in C for what PyTorch does slowly on a CPU, compiled where there is a compiler.

What they return equals PyTorch's to the last bit, which is tried before they are used; where there is no compiler, or
where PyTorch computes in another way, PyTorch computes everything, and no score differs.
"""

from __future__ import annotations

from torch import nn

from .channels import compile_concatenation, split_channels
from .normalization import compile_normalization
from .plain_layers import is_plain
from .pooling import compile_pooling

__all__ = ["compile_layers", "is_plain", "split_channels"]


def compile_layers(network: nn.Module) -> None:
    """Let pooling, batch normalisation and concatenation of a network run in C, where they can.

    Args:
        network: On the CPU; its layers' ``forward`` is changed. It is fast for tensors that are channels last in
            memory, and its gradients can be computed once, not twice.
    """
    compile_normalization(network)
    compile_pooling(network)
    compile_concatenation(network)
