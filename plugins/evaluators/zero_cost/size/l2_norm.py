"""``l2_norm``: the norm of the initial weights, a baseline that looks at no data.

Source: the code released with Abdelfattah, Mehrotra, Dudziak, Lane, "Zero-Cost Proxies for Lightweight NAS",
ICLR 2021.
Formula: sum over weight tensors l of ||theta_l||_2.
Direction: higher is better.

The space's own initial weights; float64 norms. The weights are those of convolutions, linear, recurrent and
embedding layers, a shared one once. It is essentially a count of width and depth: initialisations give each layer
a norm that depends on its shape alone, but for chance.

Every weight that the network registers counts, whether or not it runs. A network built as a masked super-network,
which registers the operations that its architecture does not use, would get a norm of operations that it does not
have: a search space has to build the chosen operations only.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from .....core.context import EvaluationContext
from .....core.errors import DivergedError
from .....core.interfaces import Evaluator
from ...network_settings import NetworkSettings
from ...probing import counted_weights


def l2_norm_score(network: nn.Module) -> float:
    """Return the sum over weight tensors of their Euclidean norms.

    Raises:
        DegenerateError: The network has no weights.
        DivergedError: A weight is not finite.
    """
    weights = counted_weights(network).values()
    norms = [torch.linalg.vector_norm(weight.detach(), dtype=torch.float64) for weight in weights]
    score = float(torch.stack(norms).sum())
    if not math.isfinite(score):
        raise DivergedError("an initial weight is not finite")
    return score


class L2Norm(Evaluator[NetworkSettings]):
    """Scores an architecture by the norms of its initial weights."""

    def _evaluate(self, context: EvaluationContext) -> float:
        return l2_norm_score(context.network(self.settings.network))
