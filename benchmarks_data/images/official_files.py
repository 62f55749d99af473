"""Reads the official files of CIFAR-10, CIFAR-100 and the downsampled ImageNet, from a folder or their archive."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from ...core.interfaces import Progress
from ..formats.pickles import load_plain
from ..named_files import NamedFile, open_named_files
from .official_layouts import BatchFile, ImageLayout
from .stored_images import ImageBatch

MAX_FILE_BYTES = 256 * 2**20
"""The largest official file, a batch of ImageNet16, has 99 MB; ours, to refuse before reading what cannot be one."""


@contextmanager
def open_official_files(layout: ImageLayout, path: Path) -> Iterator[OfficialFiles]:
    """Find the official files of an image set that a user has; they can be read during the ``with`` block.

    Args:
        layout: Which set.
        path: A folder with the files, itself or one level below; their archive; or one of the files.

    Raises:
        DataError: There is no file with training images, or one of them twice; the archive is damaged or dangerous.
    """
    known = (*layout.python_files, *layout.binary_files)
    with open_named_files(path, [file.name for file in known]) as found:
        yield OfficialFiles(layout, path, found)


class OfficialFiles:
    """Official files that are open.

    Attributes:
        notes: What the user should know; more is added while files are read.
    """

    def __init__(self, layout: ImageLayout, path: Path, found: Mapping[str, NamedFile]) -> None:
        self.layout = layout
        self.path = path
        self.notes: list[str] = []
        self._files = self._choose_version(found)

    @property
    def training_sources(self) -> list[NamedFile]:
        """Where the training images are, in their official order."""
        return [source for file, source in self._files if file.split == "train"]

    @property
    def splits(self) -> set[str]:
        """Which splits there are files of."""
        return {file.split for file, _ in self._files}

    def read(self, progress: Progress | None = None, split: str | None = None) -> Iterator[ImageBatch]:
        """Yield the files' images, training images first; only of one split if it is given.

        Raises:
            DataError: A file is damaged or not what its name says.
        """
        total = sum(source.size for _, source in self._files)
        done = 0
        for file, source in self._files:
            if split in (None, file.split):
                yield self._read_file(file, source)
            done += source.size
            if progress is not None:
                progress(done, total)

    def _choose_version(self, found: Mapping[str, NamedFile]) -> list[tuple[BatchFile, NamedFile]]:
        versions: tuple[Sequence[BatchFile], ...] = (self.layout.python_files, self.layout.binary_files)
        for version in versions:
            present = [(file, found[file.name]) for file in version if file.name in found]
            if any(file.split == "train" for file, _ in present):
                missing = [file.name for file in version if file.name not in found]
                if missing:
                    self.notes.append(f"Not there, and left out: {', '.join(missing)}.")
                return present
        raise DataError(
            f"'{self.path}' has no training images of {self.layout.title}. Expected files with the official names, "
            f"{' or '.join(_name_range(version) for version in versions if version)}, in this folder or the archive; "
            f"they are to be had at {self.layout.homepage}."
        )

    def _read_file(self, file: BatchFile, source: NamedFile) -> ImageBatch:
        contents = source.read(MAX_FILE_BYTES)
        if file.md5 and hashlib.md5(contents, usedforsecurity=False).hexdigest() != file.md5:
            self.notes.append(f"{file.name} is not the official file, byte for byte: its MD5 should be {file.md5}.")
        try:
            if file in self.layout.binary_files:
                pixels, labels = _parse_binary(contents, self.layout)
            else:
                pixels, labels = _parse_pickle(contents, file.name, self.layout)
            return self._make_batch(file.split, pixels, labels)
        except (ValueError, TypeError, OverflowError) as error:
            raise DataError(
                f"'{source.location}' is not a file of {self.layout.title}: {error}. Take the official one from "
                f"{self.layout.homepage}."
            ) from error

    def _make_batch(self, split: str, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> ImageBatch:
        first, count = self.layout.first_label, self.layout.num_file_labels
        wrong = np.flatnonzero((labels < first) | (labels >= first + count))
        if wrong.size:
            raise ValueError(
                f"image {wrong[0] + 1} has the label {labels[wrong[0]]}, expected {first} to {first + count - 1}"
            )
        kept = labels < first + self.layout.num_classes
        images = pixels.reshape(-1, 3, self.layout.side, self.layout.side)
        if not kept.all():
            images, labels = images[kept], labels[kept]
        return ImageBatch(split, images, labels - first)


def _parse_pickle(
    contents: bytes, name: str, layout: ImageLayout
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    fields = load_plain(io.BytesIO(contents), size=len(contents), name=name)
    if not isinstance(fields, dict):
        raise ValueError(f"it holds a {type(fields).__name__}, expected a dictionary")
    pixels, labels = _field(fields, "data"), _as_labels(_field(fields, layout.labels_key))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (layout.image_bytes,):
        raise ValueError(f"its images are {_describe(pixels)}, expected uint8 of shape (n, {layout.image_bytes})")
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or labels.shape != (len(pixels),):
        raise ValueError(f"its labels are {_describe(labels)}, expected one whole number for each of {len(pixels)}")
    if not len(pixels):
        raise ValueError("it has no images")
    return pixels, labels.astype(np.int64)


def _as_labels(labels: Any) -> Any:
    # Lists within lists that share parts would be endless as an array.
    if isinstance(labels, list) and not {type(label) for label in labels} <= {int, float}:
        raise ValueError("its labels are a list of other things than numbers")
    return np.asarray(labels) if isinstance(labels, list) else labels


def _field(fields: Mapping[Any, Any], name: str) -> Any:
    # Pickles of Python 2 have byte strings for keys.
    for key in (name, name.encode()):
        if key in fields:
            return fields[key]
    raise ValueError(f"it has no '{name}'")


def _parse_binary(contents: bytes, layout: ImageLayout) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    record = layout.label_bytes + layout.image_bytes
    if not contents or len(contents) % record:
        raise ValueError(f"it has {len(contents):,} bytes, expected a multiple of {record:,}")
    records = np.frombuffer(contents, np.uint8).reshape(-1, record)
    return records[:, layout.label_bytes :], records[:, layout.label_bytes - 1].astype(np.int64)


def _describe(value: object) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _name_range(files: Sequence[BatchFile]) -> str:
    names = [file.name for file in files]
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]}, … {names[-1]}"
