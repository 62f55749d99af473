"""Deterministic batches of inputs, whatever they are, with their labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import EvaluationError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from .descriptions import DatasetInfo
    from .interfaces import Dataset


HELD_OUT_DENOMINATOR = 5
"""One input in so many is held out where a data set has no test part. Ours: CIFAR-10 has one in six."""


@dataclass(frozen=True)
class Batch:
    """Inputs of a data set with their labels.

    Attributes:
        inputs: Shape ``(size, *input_shape)``, float32, or int64 where the data set is ``discrete``.
        labels: Class indices, int64, shape ``(size,)``; with further axes where an input has several labels, as a piece
            of text has one for each token.
    """

    inputs: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on ``device``."""
        return Batch(self.inputs.to(device), self.labels.to(device))

    def clone(self) -> Batch:
        """Return a copy."""
        return Batch(self.inputs.clone(), self.labels.clone())


def split_parts(info: DatasetInfo, dataset: Dataset, seed: int) -> tuple[Batch, Batch]:
    """Read all there is to train on and to test on.

    Args:
        info: Says what the inputs are called.
        dataset: Where they come from. If it has no test part, a fifth of it is held out.
        seed: Decides which fifth.

    Returns:
        The part to train on and the part to test on, not normalised, on the CPU.

    Raises:
        EvaluationError: There are fewer than five inputs and no test part.
    """
    import numpy as np

    held_out = dataset.held_out()
    count = len(dataset.labels())
    if held_out is not None:
        everything = np.arange(count, dtype=np.int64)
        return _read(dataset, everything), _read(held_out, np.arange(len(held_out.labels())))
    num_held_out = count // HELD_OUT_DENOMINATOR
    if not num_held_out:
        raise EvaluationError(
            f"it needs {info.unit} to test on, and there are {count} {info.unit} in all: too few to split"
        )
    order = np.random.default_rng(seed).permutation(count)
    return _read(dataset, np.sort(order[num_held_out:])), _read(dataset, np.sort(order[:num_held_out]))


def _read(dataset: Dataset, positions: npt.NDArray[np.int64]) -> Batch:
    import torch

    return Batch(torch.from_numpy(dataset.inputs(positions)), torch.from_numpy(dataset.labels()[positions].copy()))


def draw_batch(
    info: DatasetInfo, dataset: Dataset, size: int, seed: int, resolution: int | None = None, augment: bool = False
) -> Batch:
    """Draw ``size`` distinct inputs; depends on the data set, ``size`` and ``seed`` only.

    Args:
        info: Gives the normalisation and whether inputs may be mirrored.
        dataset: Where the inputs come from.
        size: Number of inputs.
        seed: Decides which ones, and which of them are mirrored.
        resolution: Height and width to resize images to by nearest neighbour, or None.
        augment: Mirror each image with probability 1/2 if the data set allows it.

    Raises:
        EvaluationError: The data set has fewer than ``size`` inputs.
    """
    import numpy as np
    import torch
    from torch.nn import functional

    labels = dataset.labels()
    if size > len(labels):
        raise EvaluationError(f"it needs a batch of {size} {info.unit} and the dataset '{info.name}' has {len(labels)}")
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(labels), size, replace=False).astype(np.int64)
    mirrored = rng.random(size) < 0.5
    inputs = _normalised(info, dataset.inputs(chosen))
    if augment and info.horizontal_flip:
        inputs[mirrored] = inputs[mirrored, :, :, ::-1]
    tensor = torch.from_numpy(inputs)
    if resolution is not None and tuple(tensor.shape[-2:]) != (resolution, resolution):
        tensor = functional.interpolate(tensor, size=(resolution, resolution), mode="nearest")
    return Batch(tensor.contiguous(), torch.from_numpy(labels[chosen]))


def _normalised(info: DatasetInfo, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Subtract the mean of each channel, the first axis of an input, and divide by its standard deviation."""
    import numpy as np

    if not info.mean:
        return inputs
    shape = (1, -1, *(1 for _ in info.input_shape[1:]))
    mean, std = (np.asarray(values, np.float32).reshape(shape) for values in (info.mean, info.std))
    return (inputs - mean) / std


def batch_digest(batch: Batch) -> str:
    """Return 16 hexadecimal digits that tell these inputs from others, the same on every machine.

    They begin the SHA-256 of the shape and values of the inputs (little-endian float32, or int64 for whole numbers),
    then of the labels (int64).
    """
    import numpy as np

    digest = hashlib.sha256()
    for tensor in (batch.inputs, batch.labels):
        dtype = "<f4" if tensor.is_floating_point() else "<i8"
        values = np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype)
        digest.update(np.array([values.ndim, *values.shape], "<i8").tobytes())
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]
