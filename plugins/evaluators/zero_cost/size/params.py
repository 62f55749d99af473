"""``params``: the number of parameters, the size baseline.

Formula: number of scalars of the parameters that the network actually evaluated uses, classifier included.
Direction: higher is better.

One input runs through in evaluation mode and tells which parameters are used, so that an auxiliary head, which runs in
training alone, does not count; a parametrised layer's weight counts as computed. Where the data set has no inputs all
parameters count. Frozen ones count as others do.
"""

from __future__ import annotations

from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ...network_settings import NetworkSettings
from ..layer_sizes import count_params


class Params(Evaluator[NetworkSettings]):
    """Scores an architecture by the number of its parameters."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        dataset = context.dataset
        if dataset.has_inputs:
            return float(count_params(network, dataset.input_shape, discrete=dataset.discrete))
        return float(sum(parameter.numel() for parameter in network.parameters()))
