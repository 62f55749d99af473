"""``plain``: the first-order change of the loss as all weights of the untrained network grow, a control.

Source: Mozer, Smolensky, "Skeletonization: A technique for trimming the fat from a network via relevance
assessment", NIPS 1988; summed to an architecture score in the code released with Abdelfattah et al., "Zero-Cost
Proxies for Lightweight NAS", ICLR 2021.
Formula: sum over all weights of theta * g, with its sign, g = gradient of the batch's mean cross-entropy.
Direction: higher counts as better, as declared there; the published rank correlations are negative.

What it measures: scaling a weight tensor that batch normalisation follows changes nothing, so <theta, g> of that
tensor is 0 (but for the normalisation's epsilon and rounding). The score is made of the layers without batch
normalisation, such as the classifier: hence a control.

One labelled batch, not augmented, in training mode with the space's own initial weights; float32 gradients,
float64 products and sum. The weights are those of convolutions, linear, recurrent and embedding layers, a shared
one once. Deviations from that code: its batches are augmented; a network whose outputs are the same for all inputs
has no score (status ``degenerate``), there it has 0, or what biases give its last layers.
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


def plain_score(network: nn.Module, batch: Batch) -> float:
    """Return the signed sum over all weights of weight x gradient; the network is left as found.

    Args:
        network: Takes ``batch.inputs`` and returns logits.
        batch: Labelled images.

    Raises:
        DegenerateError: The network has no weights, every gradient is 0, or the logits are the same for all inputs.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    return change_of(gradients_of_batch(network, batch))


def change_of(gradients: WeightGradients) -> float:
    """Return the signed sum of weight x gradient of weights with their gradients."""
    changes = [(weight.double() * gradient).sum() for weight, gradient in gradients.values()]
    return float(torch.stack(changes).sum())


class Plain(Evaluator[BatchSettings]):
    """Scores an architecture by the signed sum of weight times gradient at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return change_of(context.shared_pass(loss_gradients, settings.network, settings.batch_size))
