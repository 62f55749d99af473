"""Imports official image sets into the data directory."""

from __future__ import annotations

from pathlib import Path

from ...core.descriptions import DataSourceInfo
from ...core.interfaces import DataSource, ImportSummary, Progress
from .official_files import open_official_files
from .official_layouts import LAYOUTS
from .stored_images import StoredImages, read_counts, write_images


class ImageSource(DataSource):
    """An image set with an official layout; ``info.name`` says which."""

    def __init__(self, info: DataSourceInfo) -> None:
        super().__init__(info)
        self.layout = LAYOUTS[info.name]

    def import_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read the official files, whichever of them are there, and store their images.

        Raises:
            DataError: There are no training images, or a file is damaged.
        """
        with open_official_files(self.layout, path) as files:
            counts = write_images(folder, files.read(progress), self.layout.side, self.layout.num_classes)
        return ImportSummary(sum(counts.values()), "images", tuple(files.notes))

    def verify(self, folder: Path, progress: Progress) -> ImportSummary:
        """Check that shapes, types, labels and counts fit each other.

        Raises:
            DataError: They do not.
        """
        splits = [StoredImages.open(folder, split) for split in read_counts(folder)]
        return ImportSummary(sum(len(split.labels) for split in splits), "images")
