"""Streams of images that supernets are trained and judged by.

Training images are mirrored with probability 1/2 where the data set allows it, cut out of the image padded with black
at any of the offsets (4 pixels at 32x32, 2 at 16x16), and normalised, as torchvision does for the authors' scripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...core.descriptions import DatasetInfo
from ...core.weight_sharing import ImagePart, SupernetContext
from .generators import Generators
from .settings import WeightSharingSettings

Batch = tuple[Tensor, Tensor]


class ImageStreams:
    """Batches of one search.

    Args:
        context: Gives the images and the device.
        settings: Batch sizes, augmentation and noise.
        generators: Where random numbers come from.
    """

    def __init__(self, context: SupernetContext, settings: WeightSharingSettings, generators: Generators) -> None:
        self._context = context
        self._settings = settings
        weights, self.architectures = context.split(settings.split)
        self.weights = context.some(weights, settings.train_images, "images for weights")
        self._generators = generators
        self._selection_left = torch.empty(0, dtype=torch.int64)
        self._fixed_noise: Tensor | None = None

    def weight_batches(self) -> Iterator[Batch]:
        """Yield the images for weights once, in a new random order; the last batch may be smaller."""
        order = torch.randperm(len(self.weights), generator=self._generators["weight order"])
        for chosen in torch.split(order, self._settings.batch_size):
            # One image has no variance to normalise by.
            if len(chosen) > 1:
                yield self._training(self.weights, chosen, "weight images")

    def architecture_batch(self, size: int) -> Batch:
        """Return images for architectures, each drawn independently of the others, with the training's changes."""
        generator = self._generators["architecture images"]
        chosen = torch.randint(len(self.architectures), (size,), generator=generator)
        return self._training(self.architectures, chosen, "architecture images")

    def selection_batch(self, *, augmented: bool = False) -> Batch:
        """Return the next images to judge an architecture by.

        They come in a random order, without replacement; when all have come, in a new one.

        Args:
            augmented: Whether they are changed as for training; else there is noise alone, always the same.
        """
        if not len(self._selection_left):
            generator = self._generators["selection order"]
            self._selection_left = torch.randperm(len(self.architectures), generator=generator)
        size = self._settings.selection_batch
        chosen, self._selection_left = self._selection_left[:size], self._selection_left[size:]
        if augmented:
            return self._training(self.architectures, chosen, "selection images")
        return self._judging(chosen)

    def all_selection_batches(self, count: int | None = None) -> Iterator[Batch]:
        """Yield all images to judge architectures by, or ``count`` of them, always the same, in one order."""
        for chosen in torch.split(self.positions_to_judge_by(count), self._settings.selection_batch):
            yield self._judging(chosen)

    def positions_to_judge_by(self, count: int | None) -> Tensor:
        """Return which of the images for architectures these are, all if ``count`` is None.

        Raises:
            EvaluationError: There are fewer.
        """
        if count is None:
            return torch.arange(len(self.architectures))
        return self._context.random_positions(self.architectures, count, "images to judge by")

    def state(self) -> dict[str, Any]:
        """Return what decides all further batches, but for the generators."""
        return {"selection_left": self._selection_left}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._selection_left = state["selection_left"].cpu()

    def _training(self, part: ImagePart, chosen: Tensor, stream: str) -> Batch:
        images, labels = part.take(chosen, self._context.device)
        generator, dataset = self._generators[stream], self._context.dataset
        if self._settings.augment:
            images = shift_and_mirror(images, generator, mirror=dataset.horizontal_flip, padding=padding_of(dataset))
        images = normalize(images, dataset)
        if self._settings.noise:
            noise = torch.randn(images.shape, generator=generator)
            images = images + self._settings.noise * noise.to(images.device)
        return images, labels

    def _judging(self, chosen: Tensor) -> Batch:
        images, labels = self.architectures.take(chosen, self._context.device)
        images = normalize(images, self._context.dataset)
        if self._settings.noise:
            images = images + self._noise()[chosen].to(images.device)
        return images, labels

    def _noise(self) -> Tensor:
        """Return the noise of all images that architectures are judged by."""
        if self._fixed_noise is None:
            shape = (len(self.architectures), *self._context.dataset.input_shape)
            self._fixed_noise = self._settings.noise * torch.randn(shape, generator=self._context.generator("noise"))
        return self._fixed_noise


def normalize(images: Tensor, dataset: DatasetInfo) -> Tensor:
    """Subtract the data set's mean and divide by its standard deviation."""
    mean, std = (images.new_tensor(values).view(-1, 1, 1) for values in (dataset.mean, dataset.std))
    return (images - mean) / std


def padding_of(dataset: DatasetInfo) -> int:
    """Return how far images are shifted at most: 4 pixels at 32x32, 2 at 16x16."""
    return dataset.input_shape[-1] // 8


def shift_and_mirror(images: Tensor, generator: torch.Generator, *, mirror: bool, padding: int) -> Tensor:
    """Mirror each image with probability 1/2, pad it with zeros, and cut out a window of its old size.

    Args:
        images: In ``[0, 1]``, shape ``(batch, channels, height, width)``.
        generator: On the CPU.
        mirror: Whether to mirror at all.
        padding: Zeros on each side; the window's offset is one of ``0 .. 2 * padding``.
    """
    count, _, height, width = images.shape
    mirrored = torch.rand(count, generator=generator) < 0.5
    offsets = torch.randint(2 * padding + 1, (2, count, 1), generator=generator)
    rows, columns = offsets[0] + torch.arange(height), offsets[1] + torch.arange(width)
    if mirror:
        images = torch.where(mirrored.to(images.device).view(-1, 1, 1, 1), images.flip(-1), images)
    padded = functional.pad(images, (padding,) * 4).permute(0, 2, 3, 1)
    index = (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :])
    cut: Tensor = padded[tuple(part.to(images.device) for part in index)]
    return cut.permute(0, 3, 1, 2)
