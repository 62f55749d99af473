"""A folder in an official layout, used where it is instead of being imported."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...core.interfaces import Dataset
from .official_files import open_official_files
from .official_layouts import ImageLayout
from .stored_images import ImageBatch


class OfficialFolder(Dataset):
    """The images of a folder in an official layout, which are read whole at first use.

    Args:
        layout: The layout.
        folder: The folder.
        split: ``train`` or ``test``.
    """

    def __init__(self, layout: ImageLayout, folder: Path, split: str = "train") -> None:
        self.layout = layout
        self.folder = folder
        self.split = split

    @cached_property
    def _batch(self) -> ImageBatch:
        with open_official_files(self.layout, self.folder) as files:
            batches = list(files.read(split=self.split))
        images = np.concatenate([batch.images for batch in batches])
        return ImageBatch(self.split, images, np.concatenate([batch.labels for batch in batches]))

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the label of every image.

        Raises:
            DataError: A file is damaged.
        """
        return self._batch.labels

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the images at these positions."""
        return self._batch.images[positions].astype(np.float32) / np.float32(255)

    def held_out(self) -> OfficialFolder | None:
        """Return the test images, None if their file is not there.

        Raises:
            DataError: A file is damaged.
        """
        with open_official_files(self.layout, self.folder) as files:
            has_test_images = "test" in files.splits
        return OfficialFolder(self.layout, self.folder, "test") if has_test_images else None
