"""``synflow``: the synaptic flow through all weights, without data.

Source: Tanaka, Kunin, Yamins, Ganguli, "Pruning neural networks without any data by iteratively conserving
synaptic flow", NeurIPS 2020; as an architecture score Abdelfattah et al., "Zero-Cost Proxies for Lightweight
NAS", ICLR 2021.
Formula: log sum |theta * dR/dtheta| over the weights that convolutions, linear layers and matrix products receive,
where all parameters and buffers are replaced by their absolute values and R is the sum of the logits of one input of
ones. Where inputs are tokens, the vectors that the network looks up for them are ones. Where absolute parameters do not
make a computed weight's absolute value, the network is refused.
Direction: higher is better.

As in the released code of Abdelfattah et al., batch normalisation is skipped and everything is float64: the
sum reaches 1e60. Deviations: the score is the logarithm, which changes no rank; a network without a path from
input to output, whose sum is 0, has no score (status ``degenerate``, ranked last); modules are in evaluation
mode, so that dropout does nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from ...layer_parameters import LayerParameters, layer_parameters
from ...lookups import ones_looked_up
from ...network_settings import NetworkSettings
from ...observe import observe_calls
from ...probing import batch_norm_bypassed, differentiable_by, executed_weights, network_mode, require_logits
from ...stand_ins import run_with
from ..images_apart import ImagesApart


def log_synaptic_flow(network: nn.Module, input_shape: tuple[int, ...], *, discrete: bool = False) -> float:
    """Return the logarithm of the network's synaptic flow; the network is left as found.

    Args:
        network: Takes inputs of shape ``(1, *input_shape)``.
        input_shape: Of one input, such as ``(channels, height, width)``.
        discrete: Whether inputs are whole numbers.

    Raises:
        DegenerateError: The flow is 0.
        DivergedError: The flow is not finite.
        EvaluationError: Absolute parameters do not make absolute weights, the layers cannot be looked at, or the
            network normalises a batch of images by hand, which is not skipped.
    """
    state = _absolute_state(network)
    parameters = {
        name: state[name].requires_grad_()
        for name, parameter in network.named_parameters()
        if parameter.is_floating_point()
    }
    inputs = _ones(state, input_shape, discrete)
    apart = ImagesApart(network, input_shape, training=False)
    with (
        torch.enable_grad(),
        network_mode(network, training=False),
        batch_norm_bypassed(),
        executed_weights(network, parameters, lookups=discrete) as executed,
    ):
        with ones_looked_up(inputs) if discrete else nullcontext() as found, observe_calls(apart.observe):
            logits = require_logits(run_with(network, state, inputs.clone()))
        if found is not None:
            _ = found.vectors
        if computed := executed.computed():
            _check_absolute(layer_parameters(network, input_shape, discrete=discrete), computed)
        flow = _total_flow(logits, list(differentiable_by(executed).values()))
    if not discrete:
        apart.check()
    if flow == 0.0:
        raise DegenerateError("the synaptic flow is 0: the network has no path from its input to its output")
    if not math.isfinite(flow):
        raise DivergedError(f"the synaptic flow is {flow}: it does not fit into float64")
    return math.log(flow)


def _ones(state: Mapping[str, Tensor], input_shape: tuple[int, ...], discrete: bool) -> Tensor:
    """Return one input of ones, or any one of whole numbers, to be replaced by ones where vectors are looked up."""
    device = next((tensor.device for tensor in state.values()), torch.device("cpu"))
    if discrete:
        return torch.zeros((1, *input_shape), dtype=torch.int64, device=device)
    return torch.ones((1, *input_shape), dtype=torch.float64, device=device, requires_grad=True)


def _check_absolute(as_built: LayerParameters, computed: Mapping[str, Tensor]) -> None:
    """Refuse weights that are computed of parameters otherwise than so that absolute values give absolute values."""
    for name, weight in as_built.computed.items():
        if name not in computed or not torch.allclose(weight.abs().to(computed[name]), computed[name], rtol=1e-4):
            raise EvaluationError(
                f"it takes the absolute values of all parameters, and the weight of '{name}' is computed of other "
                "parameters so that this does not give the weight's absolute value: use layers without parametrisation"
            )


def _absolute_state(network: nn.Module) -> dict[str, Tensor]:
    """Copy all parameters and buffers, floating ones as absolute values in float64."""
    named = [*network.named_parameters(), *network.named_buffers()]
    return {
        name: tensor.detach().to(torch.float64).abs() if tensor.is_floating_point() else tensor.clone()
        for name, tensor in named
    }


def _total_flow(logits: Tensor, weights: list[Tensor]) -> float:
    if not logits.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(logits.sum(), weights, allow_unused=True)
    flows = [
        (weight.detach() * gradient).abs().sum()
        for weight, gradient in zip(weights, gradients, strict=True)
        if gradient is not None
    ]
    return float(torch.stack(flows).sum())


class Synflow(Evaluator[NetworkSettings]):
    """Scores an architecture by the logarithm of its synaptic flow at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network, dataset = context.network(self.settings.network), context.dataset
        return log_synaptic_flow(network, dataset.input_shape, discrete=dataset.discrete)
