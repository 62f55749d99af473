"""``params``: the number of parameters, the size baseline.

Formula: number of scalars of the parameters that the network actually evaluated uses, classifier included.
Direction: higher is better.

Where the space has networks for images, one image runs through and tells which parameters are used; a parametrised
layer's weight counts as computed. On other spaces all parameters count. Frozen ones count as others do.
"""

from __future__ import annotations

from .....core.capabilities import Images
from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ...network_settings import NetworkSettings
from ..layer_sizes import count_params


class Params(Evaluator[NetworkSettings]):
    """Scores an architecture by the number of its parameters."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        if Images in context.space.info.provides:
            return float(count_params(network, context.dataset.image_shape))
        return float(sum(parameter.numel() for parameter in network.parameters()))
