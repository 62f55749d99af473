"""``grasp``: how the removal of the untrained network's weights would change the gradient flow.

Source: Wang, Zhang, Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020;
summed to an architecture score by Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
Formula: - theta^T H g over all weights, g and H = gradient and Hessian of the batch's mean cross-entropy.
Direction: higher is better, with the sign of Abdelfattah et al. The score keeps its sign.

What it measures: scaling a weight tensor l that batch normalisation follows by s scales g_l by 1 / s and changes
no other gradient, so its term is +||g_l||^2 (but for the normalisation's epsilon). On a network with batch
normalisation throughout, the score is the squared gradient norm plus the terms of the layers without.

H g is the gradient of <stop(g), g(theta)>, by double backward. One labelled batch, not augmented, in training mode
with the space's own initial weights; temperature 1 (200 in the pruning code of Wang et al.); float32 derivatives,
float64 sums. The weights are those of convolutions, linear, recurrent and embedding layers, a shared one once.
Deviations from the code of Abdelfattah et al.: its batches are augmented; one forward pass serves both gradients,
theirs runs the same batch twice, which differs only where a forward pass is random, as with dropout; a network
whose outputs are the same for all inputs has no score (status ``degenerate``), there it has 0, or what biases give its
last layers.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DivergedError
from .....core.interfaces import Evaluator
from ..forward_graph import ForwardGraph, LossGradients, WeightGradients, curvatures
from ..settings import BatchSettings
from ..training_passes import loss_curvatures


def grasp_score(network: nn.Module, batch: Batch) -> float:
    """Return - theta^T H g over all weights; the network is left as found.

    Args:
        network: Takes ``batch.inputs`` and returns logits; must be twice differentiable.
        batch: Labelled images.

    Raises:
        DegenerateError: The network has no weights, every gradient is 0, or the logits are the same for all inputs.
        DivergedError: The logits, a gradient or a second derivative are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    graph = ForwardGraph(network, batch.inputs)
    return loss_of_flow(curvatures(graph, LossGradients(graph, batch.labels, differentiable=True)))


def loss_of_flow(products: WeightGradients) -> float:
    """Return - theta^T H g of weights with H g.

    Raises:
        DivergedError: It is not finite.
    """
    terms = [(weight.double() * product).sum() for weight, product in products.values()]
    score = -float(torch.stack(terms).sum())
    if not math.isfinite(score):
        raise DivergedError("a second derivative of the loss is not finite")
    return score


class Grasp(Evaluator[BatchSettings]):
    """Scores an architecture by how much its weights hold the gradient flow at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return loss_of_flow(context.shared_pass(loss_curvatures, settings.network, settings.batch_size))
