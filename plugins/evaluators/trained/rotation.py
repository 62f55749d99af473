"""``rot``: tell by how many quarter turns an image was rotated.

Source: Liu et al., ECCV 2020; the task is that of Gidaris, Singh, Komodakis: Unsupervised Representation Learning by
Predicting Image Rotations, ICLR 2018. Score: test accuracy after epoch K of the full schedule, in percent; higher is
better. Every image gives four inputs, turned counter-clockwise by 0, 1, 2 and 3 quarters after augmentation, all in one
batch; classes 0 to 3. Head: the network's own, with four outputs. Augmentation as for ``cls``; also for the test, all
four turns of every image. No labels are used.

The training, and how it deviates from the released code, is in ``training``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo
from .augmentation import crop_padding, flip_and_crop, normalize
from .settings import ManyViewsSettings
from .training import Task, TrainedEvaluator

QUARTERS = 4


@dataclass(frozen=True)
class Rotation(Task):
    """Tell the number of counter-clockwise quarter turns; images are square."""

    dataset: DatasetInfo

    def training_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return four turns of each augmented image, and their number of quarters."""
        normalized = normalize(images, self.dataset)
        padding = crop_padding(self.dataset)
        return rotate(flip_and_crop(normalized, generator, mirror=self.dataset.horizontal_flip, padding=padding))

    def test_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return four turns of each image, and their number of quarters."""
        return rotate(normalize(images, self.dataset))


def rotate(images: Tensor) -> tuple[Tensor, Tensor]:
    """Turn each image by 0 to 3 quarters, counter-clockwise.

    Args:
        images: Shape ``(batch, channels, side, side)``.

    Returns:
        The turned images, shape ``(4 * batch, channels, side, side)``, four of each image in a row; and the number of
        quarters, shape ``(4 * batch,)``.
    """
    turns = torch.stack([torch.rot90(images, quarters, (2, 3)) for quarters in range(QUARTERS)], dim=1)
    return turns.flatten(0, 1), torch.arange(QUARTERS, device=images.device).repeat(len(images))


class Rot(TrainedEvaluator[ManyViewsSettings]):
    """Accuracy in telling rotations."""

    def _task(self, dataset: DatasetInfo) -> Task:
        return Rotation(dataset)

    def _network(self, context: EvaluationContext) -> nn.Module:
        return context.network(self.settings.network, num_classes=QUARTERS)
