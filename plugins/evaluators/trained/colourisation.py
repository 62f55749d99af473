"""``col``: tell the colour of every pixel from the image's lightness.

Source: Liu et al., ECCV 2020; the task is that of Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016. Score:
test accuracy over pixels after epoch K of the full schedule, in percent; higher is better.

Images are converted to CIE Lab (sRGB, D65). Input: L alone, (L / 100 - m) / s with the means m and s of the data set's
channel means and standard deviations. Class of a pixel: the nearest of 313 centres in the plane (a, b), a grid of step
10 over the colours that occur. Head: a 1x1 convolution on the features that the network pools, enlarged to the size of
the image, bilinear with aligned corners. Augmentation: mirroring where the data set allows it. No labels are used.

Deviation from the released code: conversion comes before mirroring, which gives the same and is done once for all
architectures and epochs. The training, and how it deviates further, is in ``training``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from skimage.color import rgb2lab
from torch import Tensor, nn
from torch.nn import functional

from ....core.batches import Batch
from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo
from .augmentation import FLIP_PROBABILITY
from .heads import PooledFeatures, seeded_head
from .settings import TrainingSettings
from .training import Part, Task, TrainedEvaluator

STEP = 10

# First and last b for each a of the list of Zhang et al.
_RANGES_OF_B = {
    -90: (50, 90),
    -80: (20, 90),
    -70: (0, 90),
    -60: (-20, 90),
    -50: (-30, 100),
    -40: (-40, 100),
    -30: (-50, 100),
    -20: (-50, 100),
    -10: (-60, 100),
    0: (-70, 100),
    10: (-80, 90),
    20: (-80, 90),
    30: (-90, 90),
    40: (-100, 90),
    50: (-100, 80),
    60: (-110, 80),
    70: (-110, 80),
    80: (-110, 70),
    90: (-110, 70),
    100: (-90, 0),
}

CENTRES = tuple((a, b) for a, (first, last) in _RANGES_OF_B.items() for b in range(first, last + STEP, STEP))
"""The classes in order: sorted by a, then b."""

_LARGEST = 120
"""No centre, and no colour of the sRGB gamut, has a larger a or b in absolute value."""

# Images converted at once: some tens of megabytes of float64.
_CHUNK = 1000


@cache
def _class_of_grid_point() -> npt.NDArray[np.int16]:
    """Class of each grid point within the largest a and b, by position; -1 where no centre is."""
    side = 2 * _LARGEST // STEP + 1
    table = np.full((side, side), -1, np.int16)
    positions = (np.array(CENTRES) + _LARGEST) // STEP
    table[positions[:, 0], positions[:, 1]] = np.arange(len(CENTRES))
    return table


def nearest_centres(ab: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """Return the index of the nearest centre by Euclidean distance.

    Args:
        ab: Points in the plane, shape ``(..., 2)``.

    Returns:
        Indices into ``CENTRES``, of ``ab``'s shape without its last axis.
    """
    points = ab.reshape(-1, 2)
    positions = np.clip(np.rint((points + _LARGEST) / STEP), 0, 2 * _LARGEST // STEP).astype(np.intp)
    # The nearest point of the whole grid is the nearest centre if it is one.
    classes = _class_of_grid_point()[positions[:, 0], positions[:, 1]]
    outside = np.flatnonzero(classes < 0)
    distances = ((points[outside, None] - np.array(CENTRES)) ** 2).sum(axis=2)
    classes[outside] = distances.argmin(axis=1)
    return classes.reshape(ab.shape[:-1])


def split_colours(images: Tensor) -> tuple[Tensor, Tensor]:
    """Separate lightness and colour.

    Args:
        images: sRGB in ``[0, 1]``, shape ``(n, 3, height, width)``, on the CPU.

    Returns:
        Lightness in ``[0, 1]``, shape ``(n, 1, height, width)``, float32; and the class of each pixel's colour, shape
        ``(n, height, width)``, int16.
    """
    lightness, classes = [], []
    for chunk in torch.split(images, _CHUNK):
        lab = rgb2lab(chunk.permute(0, 2, 3, 1).double().numpy())
        lightness.append(torch.from_numpy(lab[..., 0] / 100.0).float().unsqueeze(1))
        classes.append(torch.from_numpy(nearest_centres(lab[..., 1:])))
    return torch.cat(lightness), torch.cat(classes)


@dataclass(frozen=True)
class Colourisation(Task):
    """Tell colours from lightness; images and labels are those of :func:`split_colours`."""

    dataset: DatasetInfo

    def training_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Do as for the test, but with each image mirrored with probability 1/2 if it may be."""
        mirrored = torch.rand(len(images), 1, 1, generator=generator) < FLIP_PROBABILITY
        if self.dataset.horizontal_flip:
            mirrored = mirrored.to(images.device)
            images = torch.where(mirrored[:, None], images.flip(-1), images)
            labels = torch.where(mirrored, labels.flip(-1), labels)
        return self.test_batch(images, labels, generator)

    def test_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return normalised lightness, and the colours pixel by pixel, shape ``(batch * height * width,)``."""
        mean, std = (sum(values) / len(values) for values in (self.dataset.mean, self.dataset.std))
        return (images - mean) / std, labels.flatten().long()


class ColourNetwork(nn.Module):
    """Features with a convolution on them, enlarged to the size of the image."""

    def __init__(self, features: nn.Module, head: nn.Conv2d) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Map lightness ``(batch, 1, height, width)`` to logits ``(batch * height * width, 313)``, pixel by pixel."""
        logits = self.head(self.features(images))
        enlarged = functional.interpolate(logits, images.shape[2:], mode="bilinear", align_corners=True)
        # Softmax is twice as fast along the last axis, and with channels last in memory this is no copy.
        return enlarged.permute(0, 2, 3, 1).flatten(0, 2)


class Col(TrainedEvaluator[TrainingSettings]):
    """Accuracy in telling the colours of pixels."""

    def _task(self, dataset: DatasetInfo) -> Task:
        return Colourisation(dataset)

    def _prepare(self, context: EvaluationContext, name: str, part: Part) -> Part:
        """Convert the images once for all architectures of the run."""
        return context.shared(f"colours of {name}", lambda _: _convert(part))

    def _network(self, context: EvaluationContext) -> nn.Module:
        lightness_shape = (1, *context.dataset.input_shape[1:])
        backbone = context.network(self.settings.network, input_shape=lightness_shape)
        features = PooledFeatures(backbone, lightness_shape)
        return ColourNetwork(features, seeded_head(context, lambda: nn.Conv2d(features.channels, len(CENTRES), 1)))


def _convert(part: Part) -> Part:
    lightness, classes = split_colours(part.source.inputs[part.positions])
    return Part(Batch(lightness, classes), torch.arange(len(part)))
