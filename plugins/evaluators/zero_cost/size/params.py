"""``params``: the number of trainable parameters, the size baseline.

Formula: number of scalars that require a gradient in the network actually evaluated, classifier included.
Direction: higher is better.
"""

from __future__ import annotations

from torch import nn

from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ...network_settings import NetworkSettings


def count_params(network: nn.Module) -> int:
    """Return the number of trainable scalars; a shared parameter counts once."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


class Params(Evaluator[NetworkSettings]):
    """Scores an architecture by the number of its trainable parameters."""

    def _evaluate(self, context: EvaluationContext) -> float:
        return float(count_params(context.network(self.settings.network)))
