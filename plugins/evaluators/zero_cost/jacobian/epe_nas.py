"""``epe_nas``: how the untrained network's reactions to images of the same class are correlated.

Source: Lopes, Alirezazadeh, Alexandre, "EPE-NAS: Efficient Performance Estimation Without Training for Neural
Architecture Search", ICANN 2021, section 3.
Formula: with J = d(sum of all logits) / d(image), E_c = sum over all entries of log(|correlation matrix of the rows
of J of class c| + k), k = 1e-5. Up to 100 classes sum_c |E_c|; for more, E_c is divided by the number of images of
c and the score is (sum_{c, c'} |E_c - E_c'|) / (number of classes), over the classes with two images or more in the
batch.
Direction: higher is better.

One forward and one backward pass in training mode of 256 real images as in the authors' code, not augmented,
through the network with the space's own initial weights; batch normalisation couples the images. The number of
classes is the data set's. Deviations from the authors' code: everything after the gradients is float64; constant
rows, whose correlation is not defined, have no score (theirs: NaN); a batch without two images of one class has no
score (status ``degenerate``). As theirs, a class with one image has E_c = log(1 + k), which is next to nothing, up to
100 classes, and is left out for more; a batch in which but one class is left compares nothing and has no score there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError
from .....core.interfaces import Evaluator
from ...probing import labelled_batch
from ..forward_graph import input_gradients_of
from ..settings import EpeNasSettings
from ..training_passes import logit_gradients
from .input_gradients import row_correlations

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
        DegenerateError: No class has two images, or only one of more than 100 has, or the gradient by an image is 0 or
            constant.
        DivergedError: The logits or a gradient are not finite.
    """
    _check_labels(batch.labels, num_classes)
    correlations = row_correlations(input_gradients_of(network, batch.inputs))
    return combine_classes(correlations, batch.labels.cpu(), num_classes)


def _check_labels(labels: Tensor, num_classes: int) -> None:
    """Refuse labels that leave nothing to compare.

    Raises:
        DegenerateError: See :func:`epe_nas_score`.
    """
    repeated = int((labels.bincount() >= 2).sum())
    if repeated == 0:
        raise DegenerateError(f"no two of the {len(labels)} images have the same label: use a larger batch_size")
    if num_classes > MANY_CLASSES and repeated == 1:
        raise DegenerateError(
            f"only one class has two of the {len(labels)} images, and with more than {MANY_CLASSES} classes they "
            "are compared with each other: use a larger batch_size"
        )


def combine_classes(correlations: Tensor, labels: Tensor, num_classes: int) -> float:
    """Return the score of all images' correlations.

    Args:
        correlations: Shape (batch, batch), float64.
        labels: Class of each image, shape (batch,), on the same device.
        num_classes: Of the data set.
    """
    logarithms = (correlations.abs() + SMOOTHING).log()
    members = [labels == label for label in torch.unique(labels)]
    if num_classes <= MANY_CLASSES:
        return float(_class_energies(logarithms, members).abs().sum())
    members = [member for member in members if member.sum() > 1]
    energies = _class_energies(logarithms, members) / torch.stack([member.sum() for member in members])
    return float((energies[:, None] - energies[None, :]).abs().sum() / len(energies))


def _class_energies(logarithms: Tensor, members: Sequence[Tensor]) -> Tensor:
    """Return E_c of each class."""
    return torch.stack([logarithms[member][:, member].sum() for member in members])


class EpeNas(Evaluator[EpeNasSettings]):
    """Scores an architecture by the correlations of its gradients within each class."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings, num_classes = self.settings, context.dataset.num_classes
        labels = labelled_batch(context, settings.batch_size).labels
        _check_labels(labels, num_classes)
        rows = context.shared_pass(logit_gradients, settings.network, settings.batch_size)
        return combine_classes(row_correlations(rows), labels.cpu(), num_classes)
