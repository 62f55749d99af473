"""Reads one file of CIFAR-10's official python version without letting it run code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.descriptions import DatasetInfo
from ..core.errors import DataError
from ..core.interfaces import Dataset

CIFAR10 = DatasetInfo(
    name="cifar10",
    summary="CIFAR-10's first training batch, 10,000 images.",
    source="Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    factory=f"{__name__}:Cifar10",
    image_shape=(3, 32, 32),
    num_classes=10,
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
)

# What pickling a NumPy array needs; Python 2 wrote these names.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles NumPy arrays and Python's own containers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse every name but those an array needs."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the name {module}.{name} is not allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


class Cifar10(Dataset):
    """The training images of one batch file.

    Args:
        path: ``data_batch_1`` of the python version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return 10,000 images of shape (3, 32, 32) in [0, 1] and their labels.

        Raises:
            DataError: The file is not one of CIFAR-10's.
        """
        try:
            with self.path.open("rb") as file:
                contents = _ArrayUnpickler(file, encoding="bytes").load()
            pixels, labels = contents[b"data"], contents[b"labels"]
            images = pixels.reshape(-1, 3, 32, 32).astype(np.float32) / np.float32(255)
        except (OSError, pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"'{self.path}' is not a batch file of CIFAR-10's python version: {error}. "
                "Take it from https://www.cs.toronto.edu/~kriz/cifar.html."
            ) from error
        return images, np.asarray(labels, np.int64)
