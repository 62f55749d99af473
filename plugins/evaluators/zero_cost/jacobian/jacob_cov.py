"""``jacob_cov``: how differently the untrained network's output reacts to each image of a batch.

Source: Mellor, Turner, Storkey, Crowley, "Neural Architecture Search without Training", version 1 of June 2020
(arXiv 2006.04647v1), section 3; with all logits as in Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS",
ICLR 2021.
Formula: - sum_i [log(lambda_i + k) + 1 / (lambda_i + k)], k = 1e-5, where lambda are the eigenvalues of the
correlation matrix between images of J = d(sum of all logits) / d(image).
Direction: higher is better.

Where inputs are tokens, J is by the vectors that the network looks up for them, one row for each piece of text, as
in the code of Serianni and Kalita ("Training-free Neural Architecture Search for RNNs and Transformers", ACL 2023).

One forward and one backward pass in training mode of one batch of real images, not augmented, through the network
with the space's own initial weights; batch normalisation couples the images, as in the authors' code. Deviations
from it: 64 images (theirs 256) and all logits (theirs has one) as in the zero-cost literature; correlations and
eigenvalues in float64 by a symmetric solver, eigenvalues below 0 by rounding count as 0; constant rows of J, whose
correlation is not defined, have no score (status ``degenerate``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from ..forward_graph import input_gradients_of
from ..settings import BatchSettings
from ..training_passes import logit_gradients
from .input_gradients import row_correlations

SMOOTHING = 1e-5
"""k of the released code."""


def jacob_cov_score(network: nn.Module, images: Tensor) -> float:
    """Return how far the images' gradients are from being correlated; the network is left as found.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).

    Returns:
        At most -batch * (1 + k), near enough, which uncorrelated gradients reach.

    Raises:
        DegenerateError: The gradient by an image is 0 or constant.
        DivergedError: The logits or a gradient are not finite.
    """
    return divergence_from_identity(row_correlations(input_gradients_of(network, images)))


def divergence_from_identity(correlations: Tensor) -> float:
    """Return - sum [log(lambda + k) + 1 / (lambda + k)] over the eigenvalues lambda.

    Args:
        correlations: Symmetric, shape (batch, batch), float64.
    """
    eigenvalues = torch.linalg.eigvalsh(correlations).clamp(min=0.0) + SMOOTHING
    return -float((eigenvalues.log() + 1.0 / eigenvalues).sum())


class JacobCov(Evaluator[BatchSettings]):
    """Scores an architecture by the eigenvalues of its gradients' correlation between images."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        rows = context.shared_pass(logit_gradients, settings.network, settings.batch_size)
        return divergence_from_identity(row_correlations(rows))
