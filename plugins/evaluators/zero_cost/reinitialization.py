"""New initial weights for proxies that bring their own initialisation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ....core.errors import EvaluationError
from ..executed_weights import as_rows
from ..layer_parameters import LayerParameters, Role, layer_parameters

MATRIX_DIMENSIONS = 2


def standard_normal(values: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a weight tensor from N(0, 1)."""
    return values.normal_(generator=generator)


def kaiming_normal(values: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a weight tensor from N(0, 2 / fan-in)."""
    return nn.init.kaiming_normal_(values, mode="fan_in", nonlinearity="relu", generator=generator)


def drawable_parameters(network: nn.Module, input_shape: tuple[int, ...]) -> LayerParameters:
    """Find which parameters are weights, biases, scales and shifts by running one image of zeros.

    Args:
        network: Takes inputs of shape ``(1, *input_shape)``; left as found.
        input_shape: ``(channels, height, width)``.

    Raises:
        EvaluationError: It is not known what a parameter is for, so that the same function could get other draws.
    """
    found = layer_parameters(network, input_shape)
    if found.multiplies:
        raise EvaluationError(
            "it draws new weights for convolution and linear layers, and the network multiplies by a weight outside of "
            "convolutions and linear layers: call torch.nn.functional.linear instead"
        )
    sizes = {name: parameter.dim() for name, parameter in network.named_parameters()}
    unknown = {*found.sources, *found.named(Role.UNKNOWN)}
    unknown |= {name for name in found.named(Role.OTHER_WEIGHT) if sizes[name] >= MATRIX_DIMENSIONS}
    unknown |= {name for name, view in found.views.items() if not _is_whole_view(view, network.get_parameter(name))}
    if unknown:
        raise EvaluationError(
            "it draws new weights for convolution, linear and normalisation layers, and cannot tell what "
            f"'{min(unknown)}' is to be: use the layers of torch.nn, or functions of torch.nn.functional, without "
            "parametrisation"
        )
    return found


@torch.no_grad()
def redrawn_state(
    network: nn.Module,
    parameters: LayerParameters,
    draw: Callable[[Tensor, torch.Generator], Tensor],
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Return parameters and buffers to run the network with instead of its own, which stay as they are.

    Weights of convolutions and linear layers are new, their biases 0; batch and group normalisation scale by 1 and
    shift by 0. Everything else is a copy.

    Args:
        network: Where the shapes come from.
        parameters: Which of its parameters are which, see :func:`drawable_parameters`.
        draw: Fills a weight tensor.
        generator: Source of the weights, on the CPU, so that all devices start alike. They are drawn in the order in
            which the parameters are registered.

    Returns:
        Detached tensors by name, for ``run_with``.
    """
    state = {name: tensor.detach().clone() for name, tensor in [*network.named_parameters(), *network.named_buffers()]}
    for name, role in parameters.roles.items():
        match role:
            case Role.WEIGHT:
                seen = parameters.views.get(name, state[name])
                drawn = draw(as_rows(torch.empty(seen.shape)), generator)
                _as_seen(state[name], seen).copy_(drawn.view(seen.shape))
            case Role.BIAS | Role.SHIFT:
                state[name].zero_()
            case Role.SCALE:
                state[name].fill_(1.0)
    return state


def _is_whole_view(seen: Tensor, parameter: Tensor) -> bool:
    same_memory = seen.untyped_storage().data_ptr() == parameter.untyped_storage().data_ptr()
    return same_memory and seen.numel() == parameter.numel()


def _as_seen(parameter: Tensor, seen: Tensor) -> Tensor:
    """Return a parameter in the shape in which its layer receives it."""
    return parameter if seen.shape == parameter.shape else parameter.as_strided(seen.shape, seen.stride())
