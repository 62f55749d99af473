"""``grad_norm``: how large the gradients of the untrained network's weights are.

Source: Abdelfattah, Mehrotra, Dudziak, Lane, "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
Formula: sum over weight tensors l of ||g_l||_2, g_l = gradient of the batch's mean cross-entropy.
Direction: higher is better.

One labelled batch, not augmented, in training mode with the space's own initial weights; float32 gradients,
float64 norms. The weights are those of convolutions, linear, recurrent and embedding layers, a shared one once.
It is a sum of norms, not the norm of the whole gradient, which the ZenNAS code takes over all parameters, of
random images with random labels, under the same name. Deviations from the authors' code: its batches are
augmented; a network whose outputs are the same for all inputs has no score (status ``degenerate``), there it has 0, or
what biases give its last layers.
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


def grad_norm_score(network: nn.Module, batch: Batch) -> float:
    """Return the sum over weight tensors of the Euclidean norm of the gradient; the network is left as found.

    Args:
        network: Takes ``batch.inputs`` and returns logits.
        batch: Labelled images.

    Raises:
        DegenerateError: The network has no weights, every gradient is 0, or the logits are the same for all inputs.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    return norm_of(gradients_of_batch(network, batch))


def norm_of(gradients: WeightGradients) -> float:
    """Return the sum of the gradients' norms of weights with their gradients."""
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float64) for _, gradient in gradients.values()]
    return float(torch.stack(norms).sum())


class GradNorm(Evaluator[BatchSettings]):
    """Scores an architecture by the sum of its weights' gradient norms at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return norm_of(context.shared_pass(loss_gradients, settings.network, settings.batch_size))
