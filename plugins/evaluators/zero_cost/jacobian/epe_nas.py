"""``epe_nas``: how the untrained network's reactions to images of the same class are correlated.

Source: Lopes, Alirezazadeh, Alexandre, "EPE-NAS: Efficient Performance Estimation Without Training for Neural
Architecture Search", ICANN 2021, section 3.
Formula: with J = d(sum of all logits) / d(image), E_c = sum over all entries of log(|correlation matrix of the rows
of J of class c| + k), k = 1e-5. Up to 100 classes sum_c |E_c|; for more, E_c is divided by the number of images of
c and the score is (sum_{c, c'} |E_c - E_c'|) / (number of classes in the batch).
Direction: higher is better.

One forward and one backward pass in training mode of 256 real images as in the authors' code, not augmented,
through the network with the space's own initial weights; batch normalisation couples the images. The number of
classes is the data set's. Deviations from the authors' code: everything after the gradients is float64; constant
rows, whose correlation is not defined, have no score (theirs: NaN); a class with one image has the correlation
matrix 1 and E_c = log(1 + k) with any number of classes (with more than 100 theirs leaves such a class out, because
an error is caught and ignored); a batch without two images of one class has no score (status ``degenerate``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError
from .....core.interfaces import Evaluator
from ...probing import labelled_batch
from ..settings import EpeNasSettings
from .input_gradients import image_gradients, row_correlations

SMOOTHING = 1e-5
"""k of the released code."""

MANY_CLASSES = 100
"""With more classes than this they are compared with each other instead of added up (section 3)."""


def epe_nas_score(network: nn.Module, batch: Batch, num_classes: int) -> float:
    """Return the score of one batch; the network is left as found.

    Args:
        network: Takes the images.
        batch: Labelled images.
        num_classes: Of the data set, not of the batch: it decides the form of the score.

    Raises:
        DegenerateError: No class has two images, or the gradient by an image is 0 or constant.
        DivergedError: The logits or a gradient are not finite.
    """
    if int(batch.labels.bincount().max()) < 2:
        raise DegenerateError(f"no two of the {len(batch.labels)} images have the same label: use a larger batch_size")
    correlations = row_correlations(image_gradients(network, batch.images))
    return combine_classes(correlations, batch.labels.cpu(), num_classes)


def combine_classes(correlations: Tensor, labels: Tensor, num_classes: int) -> float:
    """Return the score of all images' correlations.

    Args:
        correlations: Shape (batch, batch), float64.
        labels: Class of each image, shape (batch,), on the same device.
        num_classes: Of the data set.
    """
    logarithms = (correlations.abs() + SMOOTHING).log()
    members = [labels == label for label in torch.unique(labels)]
    energies = torch.stack([logarithms[member][:, member].sum() for member in members])
    if num_classes <= MANY_CLASSES:
        return float(energies.abs().sum())
    energies = energies / torch.stack([member.sum() for member in members])
    return float((energies[:, None] - energies[None, :]).abs().sum() / len(energies))


class EpeNas(Evaluator[EpeNasSettings]):
    """Scores an architecture by the correlations of its gradients within each class."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        batch = labelled_batch(context, self.settings.batch_size)
        return epe_nas_score(network, batch, context.dataset.num_classes)
