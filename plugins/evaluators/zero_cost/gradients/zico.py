"""``zico``: how stable the gradients of the untrained network's weights are from batch to batch.

Source: Li, Yang, Bhardwaj, Marculescu, "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients",
ICLR 2023.
Formula: sum over weight tensors l of log( sum over entries of mean |g| / sd g ), mean and population standard
deviation over batches, g = gradient of a batch's mean cross-entropy. Entries with sd 0 are left out, and so are
tensors without any other entry.
Direction: higher is better.

Two labelled batches of 64 images, not augmented: the halves of one draw of 128 distinct images. Both see the space's
own initial weights and running statistics, in training mode; float32 gradients, float64 statistics. With two
batches of gradients a and b an entry is (|a| + |b|) / |a - b|. The weights are those of convolutions, linear,
recurrent and embedding layers, a shared one once. As in the authors' code the standard deviation is that of the
signed gradient, where the paper writes |g|; and as there since February 2023, gradients are cleared between batches
(before, the second batch had the sum of both, a and a + b). Deviations from that code: its statistics are float32; a
network whose outputs are the same for all images, or whose gradient is for all batches, has no score (status
``degenerate``), there it has 0, or what biases give its last layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError
from .....core.interfaces import Evaluator
from ...probing import labelled_batch
from ..forward_graph import gradients_of_batch
from ..settings import ZicoSettings


def inverse_variation(gradients: Tensor) -> Tensor:
    """Return the sum over entries of (mean over batches of |g|) / (standard deviation over batches of g).

    Args:
        gradients: Of one weight tensor, shape (batches, ...), float64.

    Returns:
        A scalar; entries whose gradient is the same for all batches are left out.
    """
    deviations = gradients.std(0, correction=0)
    # The mean of equal numbers may be off by a rounding, so that their deviation is not exactly 0.
    varies = (gradients != gradients[:1]).any(0)
    return (gradients.abs().mean(0)[varies] / deviations[varies]).sum()


def zico_score(network: nn.Module, batches: Sequence[Batch]) -> float:
    """Return the sum over weight tensors of the logarithm of :func:`inverse_variation`; the network is left as found.

    Args:
        network: Takes the images of a batch and returns logits.
        batches: Labelled images, two batches or more.

    Raises:
        DegenerateError: The network has no weights, all gradients of a batch are 0, its logits are the same for all of
            its images, or no gradient differs between batches.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    values = [inverse_variation(gradients) for gradients in _gradients_by_weight(network, batches)]
    varying = [value.log() for value in values if value > 0]
    if not varying:
        raise DegenerateError(f"the gradients are the same for all {len(batches)} batches")
    return float(torch.stack(varying).sum())


def _gradients_by_weight(network: nn.Module, batches: Sequence[Batch]) -> Iterator[Tensor]:
    """Yield the gradients of each weight tensor, shape (batches, ...), float64."""
    found = [gradients_of_batch(network, batch) for batch in batches]
    weights = {name: weight for pairs in found for name, (weight, _) in pairs.items()}
    for name, weight in weights.items():
        # A batch whose loss does not depend on the weight, as behind a layer skipped at random, has gradient 0.
        nothing = (weight, torch.zeros_like(weight))
        yield torch.stack([pairs.get(name, nothing)[1] for pairs in found]).double()


def split_batch(batch: Batch, parts: int) -> list[Batch]:
    """Split a batch into equal ones, in the order of its images.

    Raises:
        DegenerateError: All images of a part have the same label.
    """
    images, labels = batch.inputs.chunk(parts), batch.labels.chunk(parts)
    for number, part in enumerate(labels, start=1):
        if (part == part[0]).all():
            raise DegenerateError(
                f"all {len(part)} images of batch {number} have the same label: use a larger batch_size"
            )
    return [Batch(*part) for part in zip(images, labels, strict=True)]


class Zico(Evaluator[ZicoSettings]):
    """Scores an architecture by the inverse coefficient of variation of its gradients at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        batches = self.settings.batches
        return zico_score(network, split_batch(labelled_batch(context, batches * self.settings.batch_size), batches))
