"""New initial weights for proxies that bring their own initialisation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ....core.errors import EvaluationError
from ..executed_weights import check_visible

MATRIX_DIMENSIONS = 2

WeightedLayer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear
NormLayer = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.GroupNorm


def standard_normal(values: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a weight tensor from N(0, 1)."""
    return values.normal_(generator=generator)


def kaiming_normal(values: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a weight tensor from N(0, 2 / fan-in)."""
    return nn.init.kaiming_normal_(values, mode="fan_in", nonlinearity="relu", generator=generator)


def _check_known(network: nn.Module) -> None:
    """Refuse parameters that are neither those of a layer to redraw nor vectors of a module of PyTorch's own."""
    for name, module in network.named_modules():
        for own_name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, WeightedLayer | NormLayer) and own_name in {"weight", "bias"}:
                continue
            if parameter.dim() < MATRIX_DIMENSIONS and type(module).__module__.startswith("torch.nn.modules."):
                continue
            full_name = f"{name}.{own_name}" if name else own_name
            raise EvaluationError(
                "it draws new weights for convolution, linear and normalisation layers, and cannot tell what "
                f"'{full_name}' of the class '{type(module).__name__}' is to be: use the layers of torch.nn, "
                "without parametrisation"
            )


@torch.no_grad()
def redrawn_state(
    network: nn.Module, draw: Callable[[Tensor, torch.Generator], Tensor], generator: torch.Generator
) -> dict[str, Tensor]:
    """Return parameters and buffers to run the network with instead of its own, which stay as they are.

    Weights of convolutions and linear layers are new, their biases 0; batch and group normalisation scale by 1 and
    shift by 0. Everything else is a copy.

    Args:
        network: Where the shapes come from.
        draw: Fills a weight tensor.
        generator: Source of the weights, on the CPU, so that all devices start alike.

    Returns:
        Detached tensors by name, for ``torch.func.functional_call``.

    Raises:
        EvaluationError: It is not known what a parameter is for, so that the same function could get other draws.
    """
    check_visible(network)
    _check_known(network)
    state = {name: tensor.detach().clone() for name, tensor in [*network.named_parameters(), *network.named_buffers()]}
    for name, layer in network.named_modules():
        is_weighted = isinstance(layer, WeightedLayer)
        if not is_weighted and not isinstance(layer, NormLayer):
            continue
        prefix = f"{name}." if name else ""
        weight, bias = state.get(f"{prefix}weight"), state.get(f"{prefix}bias")
        if bias is not None:
            bias.zero_()
        if weight is not None and is_weighted:
            weight.copy_(draw(torch.empty(weight.shape), generator))
        elif weight is not None:
            weight.fill_(1.0)
    return state
