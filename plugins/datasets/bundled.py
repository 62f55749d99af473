"""The data sets whose images ship inside packages that the toolkit depends on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...benchmarks_data.images.mnist import load_mnist_split
from ...benchmarks_data.images.photos import load_photos
from ...core.interfaces import Dataset


class Photos(Dataset):
    """Patches of photographs: 1,000 images of shape (3, 32, 32)."""

    def labels(self) -> npt.NDArray[np.int64]:
        """Return which photograph each patch was cut from."""
        return load_photos()[1]

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the patches at these positions."""
        return load_photos()[0][positions]


class Mnist(Dataset):
    """Handwritten digits, 2,000 images of shape (1, 12, 12): the training part of ``nasbench201-tiny``'s split."""

    def __init__(self, *, testing: bool = False) -> None:
        self._testing = testing

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the digits."""
        return load_mnist_split()[self._testing].labels

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the images at these positions."""
        return load_mnist_split()[self._testing].images[positions]

    def held_out(self) -> Mnist:
        """Return the 3,000 images of the split's other part."""
        return Mnist(testing=True)
