"""Ways to look into a network without changing it.

Function modes see a call whether a module or a function made it, so no evaluator depends on the names or
classes of a network's layers. A call that another intercepted function makes inside itself is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

COUNTED_LAYERS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
)


def counted_weight_names(network: nn.Module) -> list[str]:
    """Name the weights that the zero-cost literature sums over: those of convolutions and linear layers.

    Biases and batch-normalisation parameters are left out (Abdelfattah et al., ICLR 2021, released code). A
    weight shared by several layers is named once.
    """
    counted = {id(layer.weight) for layer in network.modules() if isinstance(layer, COUNTED_LAYERS)}
    return [name for name, parameter in network.named_parameters() if id(parameter) in counted]


@contextmanager
def network_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Put all modules into training or evaluation mode, and restore the mode of each afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.train(training)
    try:
        yield
    finally:
        for module, was_training in modes.items():
            module.training = was_training


def argument(args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str, default: Any = None) -> Any:
    """Return an argument of an intercepted call, given by position or by name."""
    return args[position] if len(args) > position else kwargs.get(name, default)


class BatchNormBypass(TorchFunctionMode):
    """While active, batch normalisation returns its input."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace the calls of batch normalisation."""
        if func in (functional.batch_norm, torch.batch_norm):
            features: Tensor = argument(args, kwargs or {}, 0, "input")
            # A copy, so that an in-place activation behind it cannot change what a skip connection reads.
            return features.clone()
        return func(*args, **(kwargs or {}))
