"""``snip``: how sensitive the loss of the untrained network is to the removal of single weights.

Source: Lee, Ajanthan, Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR 2019,
section 4.1; summed to an architecture score by Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS",
ICLR 2021.
Formula: sum over all weights of |theta * g|, g = gradient of the batch's mean cross-entropy.
Direction: higher is better.

The paper multiplies each weight by a mask and differentiates with respect to the mask; at mask 1 that derivative
is theta * g, so no layer needs a mask. One labelled batch, not augmented, in training mode with the space's own
initial weights; float32 gradients, float64 products and sum. The weights are those of convolutions, linear,
recurrent and embedding layers, a shared one once. Deviations from the code of Abdelfattah et al.: its batches are
augmented; a network whose outputs are the same for all inputs has no score (status ``degenerate``), there it has 0,
or what biases give its last layers. Lee et al. divide by the sum, which would make every score 1.
"""

from __future__ import annotations

import torch
from torch import nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ..forward_graph import WeightGradients, gradients_of_batch
from ..settings import BatchSettings
from ..training_passes import loss_gradients


def snip_score(network: nn.Module, batch: Batch) -> float:
    """Return the sum over all weights of |weight x gradient|; the network is left as found.

    Args:
        network: Takes ``batch.inputs`` and returns logits.
        batch: Labelled images.

    Raises:
        DegenerateError: The network has no weights, every gradient is 0, or the logits are the same for all inputs.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    return saliency_of(gradients_of_batch(network, batch))


def saliency_of(gradients: WeightGradients) -> float:
    """Return the sum of |weight x gradient| of weights with their gradients."""
    saliencies = [(weight.double() * gradient).abs().sum() for weight, gradient in gradients.values()]
    return float(torch.stack(saliencies).sum())


class Snip(Evaluator[BatchSettings]):
    """Scores an architecture by the sum of its weights' connection sensitivities at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return saliency_of(context.shared_pass(loss_gradients, settings.network, settings.batch_size))
