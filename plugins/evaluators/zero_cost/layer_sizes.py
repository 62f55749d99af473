"""The number of a network's parameters."""

from __future__ import annotations

from torch import nn

from ..layer_parameters import Role, layer_parameters


def count_params(network: nn.Module, input_shape: tuple[int, ...], *, discrete: bool = False) -> int:
    """Return the number of scalars of the parameters that a forward pass in evaluation mode uses.

    What runs in training alone, such as an auxiliary head, is left out, as in published counts. A shared parameter
    counts once. Weights that are computed of others, as by a parametrisation, count as layers receive them. Whether a
    parameter is frozen makes no difference, as it makes none to what the network computes.

    Args:
        network: Takes inputs of shape ``(1, *input_shape)``; left as found.
        input_shape: Of one input, such as ``(channels, height, width)``.
        discrete: Whether inputs are whole numbers.

    Raises:
        EvaluationError: The network's layers cannot be looked at.
    """
    found = layer_parameters(network, input_shape, discrete=discrete, modes=(False,))
    used = (name for name, role in found.roles.items() if role is not Role.UNUSED and name not in found.sources)
    return sum(found.sizes[name] for name in used) + sum(weight.numel() for weight in found.computed.values())
