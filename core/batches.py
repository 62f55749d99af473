"""Deterministic batches of normalised images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import EvaluationError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from .descriptions import DatasetInfo
    from .interfaces import Dataset


HELD_OUT_DENOMINATOR = 5
"""One image in so many is held out where a data set has no test images. Ours: CIFAR-10 has one in six."""


@dataclass(frozen=True)
class Batch:
    """A batch of labelled images.

    Attributes:
        images: Normalised, shape ``(size, channels, height, width)``, float32.
        labels: Class indices, shape ``(size,)``, int64.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on ``device``."""
        return Batch(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class ImageSet:
    """All images of one part of a data set.

    Attributes:
        images: In ``[0, 1]``, not normalised, shape ``(n, channels, height, width)``, float32, on the CPU.
        labels: Class indices, shape ``(n,)``, int64, on the CPU.
    """

    images: torch.Tensor
    labels: torch.Tensor


def split_images(dataset: Dataset, seed: int) -> tuple[ImageSet, ImageSet]:
    """Read all images to train on and to test on.

    Args:
        dataset: Where the images come from. If it has no test images, a fifth of its images is held out.
        seed: Decides which ones.

    Returns:
        The part to train on and the part to test on.

    Raises:
        EvaluationError: There are fewer than five images and no test images.
    """
    import numpy as np

    held_out = dataset.held_out()
    count = len(dataset.labels())
    if held_out is not None:
        everything = np.arange(count, dtype=np.int64)
        return _read_images(dataset, everything), _read_images(held_out, np.arange(len(held_out.labels())))
    num_held_out = count // HELD_OUT_DENOMINATOR
    if not num_held_out:
        raise EvaluationError(f"it needs images to test on, and there are {count} images in all: too few to split")
    order = np.random.default_rng(seed).permutation(count)
    return _read_images(dataset, np.sort(order[num_held_out:])), _read_images(dataset, np.sort(order[:num_held_out]))


def _read_images(dataset: Dataset, positions: npt.NDArray[np.int64]) -> ImageSet:
    import torch

    return ImageSet(torch.from_numpy(dataset.images(positions)), torch.from_numpy(dataset.labels()[positions].copy()))


def draw_batch(
    info: DatasetInfo, dataset: Dataset, size: int, seed: int, resolution: int | None, augment: bool
) -> Batch:
    """Draw ``size`` distinct images; depends on the data set, ``size`` and ``seed`` only.

    Args:
        info: Gives the normalisation and whether images may be mirrored.
        dataset: Where the images come from.
        size: Number of images.
        seed: Decides which images, and which of them are mirrored.
        resolution: Height and width to resize to by nearest neighbour, or None.
        augment: Mirror each image with probability 1/2 if the data set allows it.

    Raises:
        EvaluationError: The data set has fewer than ``size`` images.
    """
    import numpy as np
    import torch
    from torch.nn import functional

    labels = dataset.labels()
    if size > len(labels):
        raise EvaluationError(f"it needs a batch of {size} images and the dataset '{info.name}' has {len(labels)}")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(labels), size, replace=False).astype(np.int64)
    mirrored = rng.random(size) < 0.5
    mean = np.asarray(info.mean, np.float32)[None, :, None, None]
    std = np.asarray(info.std, np.float32)[None, :, None, None]
    batch = (dataset.images(chosen) - mean) / std
    if augment and info.horizontal_flip:
        batch[mirrored] = batch[mirrored, :, :, ::-1]
    tensor = torch.from_numpy(batch)
    if resolution is not None and tuple(tensor.shape[-2:]) != (resolution, resolution):
        tensor = functional.interpolate(tensor, size=(resolution, resolution), mode="nearest")
    return Batch(tensor.contiguous(), torch.from_numpy(labels[chosen]))


def batch_digest(batch: Batch | ImageSet) -> str:
    """Return 16 hexadecimal digits that tell these images from others, the same on every machine.

    They begin the SHA-256 of the images' shape and values (little-endian float32), then of the labels (int64).
    """
    import numpy as np

    digest = hashlib.sha256()
    for tensor, dtype in ((batch.images, "<f4"), (batch.labels, "<i8")):
        values = np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype)
        digest.update(np.array([values.ndim, *values.shape], "<i8").tobytes())
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]
