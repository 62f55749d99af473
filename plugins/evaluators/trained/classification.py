"""``cls`` and ``econas``: train on the images' own labels for a few epochs.

``cls``: Liu et al., ECCV 2020 (supervised baseline), as read by Li et al. (GenNAS, NeurIPS 2021, table 2: "cls@ep10").
Score: test accuracy after epoch K of the full schedule, in percent; higher is better. Labels: the data set's. Head: the
network's own. Augmentation: mirroring where the data set allows it, then a random crop of the image padded with zeros
by an eighth of its side (4 at 32x32).

``econas``: Zhou et al., EcoNAS, CVPR 2020: the same with fewer channels, smaller images and a shorter schedule, as
Abdelfattah et al. (ICLR 2021, released code) train NAS-Bench-201: 4 channels, 8x8 pixels, batches of 2,048, epoch 20 of
a cosine over 40. Deviations: images are reduced as tensors (bilinear, antialiased), not as PIL images, which round to
whole grey levels; they are normalised by the data set's standard deviation, which the script sets by hand; the crop
sees the mean colour beyond the edge, where the script pads with black before it normalises, and starts at one of 8
places a side, where the script has 9; the incomplete last batch of an epoch is left out, where the script takes it
(24 steps an epoch with CIFAR-10's 50,000 images, there 25); cells have the benchmark's batch normalisation, affine and
tracked, not that of search cells; and batch normalisation is tested with precise statistics like everywhere here.

The training, and how it deviates from the released code, is in ``training``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo
from ....core.errors import DegenerateError
from .augmentation import crop_padding, flip_and_crop, normalize
from .settings import EconasSettings, TrainingSettings
from .training import Part, SettingsT, Task, TrainedEvaluator


@dataclass(frozen=True)
class Classification(Task):
    """Tell the class of an image.

    Attributes:
        dataset: Gives normalisation and augmentation.
        size: Height and width to reduce images to after augmentation, None to leave them.
    """

    dataset: DatasetInfo
    size: tuple[int, int] | None = None

    def training_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images mirrored and shifted at random, and their labels."""
        normalized = normalize(images, self.dataset)
        padding = crop_padding(self.dataset)
        cropped = flip_and_crop(normalized, generator, mirror=self.dataset.horizontal_flip, padding=padding)
        return self._reduce(cropped), labels

    def test_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the images as they are and their labels."""
        return self._reduce(normalize(images, self.dataset)), labels

    def _reduce(self, images: Tensor) -> Tensor:
        if self.size is None:
            return images
        return functional.interpolate(images, self.size, mode="bilinear", align_corners=False, antialias=True)


def reduced_side(side: int, divisor: int) -> int:
    """Divide a height or width and round up to a multiple of 4, which networks that halve it twice need."""
    return side if divisor == 1 else 4 * math.ceil(side / divisor / 4)


class LabelTraining(TrainedEvaluator[SettingsT]):
    """Refuses images that all have one label."""

    def _prepare(self, context: EvaluationContext, name: str, part: Part) -> Part:
        if len(torch.unique(part.source.labels[part.positions])) < 2:
            raise DegenerateError(f"all {len(part)} {name} have the same label: use more of them")
        return part


class Cls(LabelTraining[TrainingSettings]):
    """Accuracy on the images' own labels."""

    def _task(self, dataset: DatasetInfo) -> Task:
        return Classification(dataset)

    def _network(self, context: EvaluationContext) -> nn.Module:
        return context.network(self.settings.network)


class Econas(LabelTraining[EconasSettings]):
    """Accuracy on the images' own labels, at reduced width, resolution and number of epochs."""

    def _task(self, dataset: DatasetInfo) -> Task:
        return Classification(dataset, self._size(dataset))

    def _network(self, context: EvaluationContext) -> nn.Module:
        input_shape = (context.dataset.input_shape[0], *self._size(context.dataset))
        return context.network(self.settings.network, input_shape=input_shape)

    def _size(self, dataset: DatasetInfo) -> tuple[int, int]:
        _, height, width = dataset.input_shape
        divisor = self.settings.resolution_divisor
        return reduced_side(height, divisor), reduced_side(width, divisor)
