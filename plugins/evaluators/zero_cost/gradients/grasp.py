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
whose outputs are the same for all images has no score (status ``degenerate``), there it has 0, or what biases give its
last layers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError
from .....core.interfaces import Evaluator
from ...probing import check_gradients, check_outputs, labelled_batch
from ..settings import BatchSettings
from ..training_pass import ForwardGraph, forward_graph


def grasp_score(network: nn.Module, batch: Batch) -> float:
    """Return - theta^T H g over all weights; the network is left as found.

    Args:
        network: Takes ``batch.images`` and returns logits; must be twice differentiable.
        batch: Labelled images.

    Raises:
        DegenerateError: The network has no weights, every gradient is 0, or the logits are the same for all images.
        DivergedError: The logits, a gradient or a second derivative are not finite.
    """
    return gradient_flow_loss(ForwardGraph(network, batch.images), batch.labels)


def gradient_flow_loss(graph: ForwardGraph, labels: Tensor) -> float:
    """Return - theta^T H g of a forward pass.

    Raises:
        DegenerateError: See :func:`grasp_score`.
        DivergedError: A gradient or a second derivative is not finite.
    """
    weights = list(graph.weights.values())
    products = _hessian_gradient_products(graph.loss(labels), weights)
    check_outputs(graph.logits)
    terms = [
        (weight.detach().double() * product).sum()
        for weight, product in zip(weights, products, strict=True)
        if product is not None
    ]
    score = -float(torch.stack(terms).sum())
    if not math.isfinite(score):
        raise DivergedError("a second derivative of the loss is not finite")
    return score


def _hessian_gradient_products(loss: Tensor, weights: list[Tensor]) -> tuple[Tensor | None, ...]:
    """Return H g, one tensor for each weight tensor; None where it is 0 because the loss does not depend on it."""
    if not loss.requires_grad:
        raise DegenerateError("the loss depends on no weight: the network has no path from its input to its output")
    found = torch.autograd.grad(loss, weights, allow_unused=True, create_graph=True)
    gradients = [gradient for gradient in found if gradient is not None]
    check_gradients(gradients)
    # The scalar <stop(g), g> need not be formed: its gradient is the vector-Jacobian product of g with stop(g).
    constants = [gradient.detach() for gradient in gradients]
    return torch.autograd.grad(gradients, weights, constants, retain_graph=True, allow_unused=True)


class Grasp(Evaluator[BatchSettings]):
    """Scores an architecture by how much its weights hold the gradient flow at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        labels = labelled_batch(context, settings.batch_size).labels
        return gradient_flow_loss(context.shared_pass(forward_graph, settings.network, settings.batch_size), labels)
