"""The built-in data sets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...benchmarks_data.images.mnist import load_mnist_split
from ...benchmarks_data.images.photos import load_photos
from ...core.interfaces import Dataset


class Photos(Dataset):
    """Patches of photographs."""

    def load(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return 1,000 images of shape (3, 32, 32) and their labels."""
        return load_photos()


class Mnist(Dataset):
    """Handwritten digits: the training part of the split that ``nasbench201-tiny`` uses."""

    def load(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return 2,000 images of shape (1, 12, 12) and their labels."""
        train, _ = load_mnist_split()
        return train.images, train.labels
