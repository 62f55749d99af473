"""The data sets that users import with ``nasbench data``: their training images, read from the data directory."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from ...benchmarks_data.images.stored_images import StoredImages, read_counts
from ...core.data.data_home import stored_folder
from ...core.errors import DataError
from ...core.interfaces import Dataset


class ImportedImages(Dataset):
    """Images of an imported data source.

    Args:
        split: ``train`` or ``test``.

    Attributes:
        data_source: Its name.
        how_to_get: The command that makes it available.
    """

    data_source: ClassVar[str]
    how_to_get: ClassVar[str]

    def __init__(self, split: str = "train") -> None:
        self.split = split

    @property
    def _folder(self) -> Path:
        folder = stored_folder(self.data_source)
        if folder is None:
            raise DataError(f"The images of '{self.data_source}' were not imported. Run {self.how_to_get}.")
        return folder

    @cached_property
    def _stored(self) -> StoredImages:
        return StoredImages.open(self._folder, self.split)

    def held_out(self) -> Self | None:
        """Return the test images, None if they were not imported.

        Raises:
            DataError: The data set was not imported, or is damaged.
        """
        return type(self)("test") if read_counts(self._folder).get("test") else None

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the label of every image.

        Raises:
            DataError: The data set was not imported, or is damaged.
        """
        return self._stored.labels

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the images at these positions; no other is read.

        Raises:
            DataError: The data set was not imported, or is damaged.
        """
        return np.asarray(self._stored.images[positions], np.float32) / np.float32(255)


class Cifar10(ImportedImages):
    """CIFAR-10: 50,000 images of shape (3, 32, 32) if all batches were imported."""

    data_source = "cifar10"
    how_to_get = "'nasbench data download cifar10' or 'nasbench data import cifar10 PATH'"


class Cifar100(ImportedImages):
    """CIFAR-100: 50,000 images of shape (3, 32, 32) with the labels of the 100 fine classes."""

    data_source = "cifar100"
    how_to_get = "'nasbench data download cifar100' or 'nasbench data import cifar100 PATH'"


class ImageNet16(ImportedImages):
    """ImageNet16-120: 151,700 images of shape (3, 16, 16), the first 120 classes of ImageNet."""

    data_source = "imagenet16-120"
    how_to_get = "'nasbench data import imagenet16-120 PATH'"
