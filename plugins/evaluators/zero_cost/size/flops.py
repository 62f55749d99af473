"""``flops``: multiply-adds of one image, the cost baseline.

Formula: sum over all executed convolutions and linear layers of (number of output values) x (fan-in of one).
Direction: higher is better.

The name is the published one, but like most published tables it counts multiply-adds; floating-point
operations are about twice as many. Biases, normalisation, activations, pooling and matrix products outside
linear layers are not counted; where such a product has a weight as a factor, or a recurrent layer of PyTorch
runs, whose products are not seen, the network is refused. The projections inside multi-head attention are
linear layers.
"""

from __future__ import annotations

from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ...macs import count_macs
from ...network_settings import NetworkSettings


class Flops(Evaluator[NetworkSettings]):
    """Scores an architecture by its multiply-adds for one image of the data set."""

    def _evaluate(self, context: EvaluationContext) -> float:
        return float(count_macs(context.network(self.settings.network), context.dataset.input_shape))
