"""``l2_norm``: the norm of the initial weights, a baseline that looks at no data.

Source: the code released with Abdelfattah, Mehrotra, Dudziak, Lane, "Zero-Cost Proxies for Lightweight NAS",
ICLR 2021.
Formula: sum over weight tensors l of ||theta_l||_2.
Direction: higher is better.

The space's own initial weights; float64 norms. The weights are those of convolutions, linear, recurrent and
embedding layers, a shared one once. It is essentially a count of width and depth: initialisations give each layer
a norm that depends on its shape alone, but for chance.

The weights are the tensors that layers receive as one input runs through: those of a parametrised layer as computed,
and none of layers that do not run. Where the data set has no inputs they are the parameters that PyTorch's recurrent,
linear and embedding layers register.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError
from .....core.interfaces import Evaluator
from ...network_settings import NetworkSettings
from ...probing import run_weights


def l2_norm_score(weights: Iterable[Tensor]) -> float:
    """Return the sum over weight tensors of their Euclidean norms.

    Raises:
        DegenerateError: There are no weights.
        DivergedError: A weight is not finite.
    """
    norms = [torch.linalg.vector_norm(weight.detach(), dtype=torch.float64) for weight in weights]
    if not norms:
        raise DegenerateError("the network has no linear, recurrent or embedding layer, hence no weights")
    score = float(torch.stack(norms).sum())
    if not math.isfinite(score):
        raise DivergedError("an initial weight is not finite")
    return score


def registered_weights(network: nn.Module) -> list[Tensor]:
    """Return the weights that PyTorch's layers register, a shared one once."""
    weights = {
        id(parameter): parameter
        for layer in network.modules()
        if isinstance(layer, nn.Linear | nn.Embedding | nn.RNNBase | nn.RNNCellBase)
        for name, parameter in layer.named_parameters(recurse=False)
        if name.startswith("weight")
    }
    return [parameter for parameter in network.parameters() if id(parameter) in weights]


class L2Norm(Evaluator[NetworkSettings]):
    """Scores an architecture by the norms of its initial weights."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        dataset = context.dataset
        if dataset.has_inputs:
            return l2_norm_score(run_weights(network, dataset.input_shape, discrete=dataset.discrete))
        return l2_norm_score(registered_weights(network))
