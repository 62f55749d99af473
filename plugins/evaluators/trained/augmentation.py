"""Random changes of a whole batch at once.

All random numbers come from a CPU generator, so that every device sees the same images.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ....core.descriptions import DatasetInfo

FLIP_PROBABILITY = 0.5


def normalize(images: Tensor, dataset: DatasetInfo) -> Tensor:
    """Subtract the data set's mean and divide by its standard deviation.

    Args:
        images: In ``[0, 1]``, shape ``(batch, channels, height, width)``.
        dataset: Gives one mean and one standard deviation for each channel.
    """
    mean, std = (images.new_tensor(values).view(-1, 1, 1) for values in (dataset.mean, dataset.std))
    return (images - mean) / std


def crop_padding(dataset: DatasetInfo) -> int:
    """Return how far images are shifted at most: 4 at 32x32 pixels, as usual, and 2 at 16x16."""
    return dataset.input_shape[-1] // 8


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image with probability 1/2, left to right."""
    mirrored = torch.rand(len(images), generator=generator) < FLIP_PROBABILITY
    return torch.where(mirrored.to(images.device).view(-1, 1, 1, 1), images.flip(-1), images)


def flip_and_crop(images: Tensor, generator: torch.Generator, *, mirror: bool, padding: int) -> Tensor:
    """Mirror each image with probability 1/2, pad it with zeros, and cut out a window of its old size.

    The window's offset is drawn from ``0 .. 2 * padding - 1``: the last position never comes up, as in the released
    code of Liu et al. (ECCV 2020).

    Args:
        images: Normalised, so that the padding has the mean colour; shape ``(batch, channels, height, width)``.
        generator: On the CPU.
        mirror: Whether to mirror at all.
        padding: Zeros on each side.

    Returns:
        Images of the same shape, channels last in memory.
    """
    count, _, height, width = images.shape
    mirrored = torch.rand(count, 1, generator=generator) < FLIP_PROBABILITY
    offsets = torch.randint(max(1, 2 * padding), (2, count, 1), generator=generator)
    rows, columns = offsets[0] + torch.arange(height), offsets[1] + torch.arange(width)
    if mirror:
        columns = torch.where(mirrored, width + 2 * padding - 1 - columns, columns)
    padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding))
    index = (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :])
    cut: Tensor = padded[tuple(part.to(images.device) for part in index)]
    return cut.permute(0, 3, 1, 2)
