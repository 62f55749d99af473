"""Texts as numbers: vocabulary and token ids of each part.

Words are what white space separates; each line ends with ``<eos>``. A word's id is its rank by first appearance in the
training text. This is how word-level models on the Penn Treebank (Mikolov et al., 2010) and WikiText-2 (Merity et al.,
2016) are usually fed: 10,000 and 33,278 different tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError
from .vocabulary_file import VOCABULARY_NAME

END_OF_LINE = "<eos>"
UNKNOWN = "<unk>"
SPLITS = ("train", "valid", "test")

Ids = npt.NDArray[np.int32]


class UnknownWordError(ValueError):
    """A word outside a vocabulary; the message says where, and what to do."""


def build_vocabulary(text: str) -> dict[str, int]:
    """Number the words of a text by first appearance."""
    vocabulary: dict[str, int] = {}
    for line in _lines(text):
        for word in (*line.split(), END_OF_LINE):
            vocabulary.setdefault(word, len(vocabulary))
    return vocabulary


def encode(text: str, vocabulary: Mapping[str, int]) -> Ids:
    """Return the ids of a text's words, shape (tokens,).

    Raises:
        UnknownWordError: The vocabulary does not have one.
    """
    ids: list[int] = []
    for number, line in enumerate(_lines(text), start=1):
        for word in (*line.split(), END_OF_LINE):
            token = vocabulary.get(word)
            if token is None:
                raise UnknownWordError(
                    f"line {number:,} has '{word[:50]}', which the training text does not have. {_remedy(vocabulary)}"
                )
            ids.append(token)
    return np.array(ids, np.int32)


def _remedy(vocabulary: Mapping[str, int]) -> str:
    if UNKNOWN in vocabulary:
        return f"Write {UNKNOWN} for words that it does not have, as it does for rare ones."
    return f"Write {UNKNOWN} for rare words in all parts, so that it stands for what is not known."


def _lines(text: str) -> list[str]:
    # Not splitlines: it also splits at characters that stand inside lines of Wikipedia.
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


@dataclass(frozen=True)
class StoredTokens:
    """A text set in the data directory.

    Attributes:
        folder: Where it is.
        vocabulary: Words; a word's position is its id.
    """

    folder: Path
    vocabulary: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> StoredTokens:
        """Open a stored text set.

        Raises:
            DataError: The vocabulary is missing or damaged.
        """
        try:
            words = tuple((folder / VOCABULARY_NAME).read_text(encoding="utf-8").split("\n"))
        except (OSError, ValueError) as error:
            raise _damaged(folder, error) from error
        if len(set(words)) != len(words) or END_OF_LINE not in words:
            raise _damaged(folder, ValueError(f"{VOCABULARY_NAME} is not a list of distinct words with {END_OF_LINE}"))
        return cls(folder, words)

    @property
    def splits(self) -> tuple[str, ...]:
        """Which splits there are."""
        return tuple(split for split in SPLITS if (self.folder / _file_name(split)).exists())

    def ids(self, split: str) -> Ids:
        """Return the token ids of a split, memory-mapped, shape (tokens,).

        Raises:
            DataError: They are missing or damaged.
        """
        try:
            ids: Ids = np.load(self.folder / _file_name(split), mmap_mode="r", allow_pickle=False)
            in_range = ids.ndim == 1 and ids.size and 0 <= ids.min() <= ids.max() < len(self.vocabulary)
            if ids.dtype != np.int32 or not in_range:
                raise ValueError(f"{_file_name(split)} does not hold ids of the vocabulary")
        except (OSError, ValueError, EOFError) as error:
            raise _damaged(self.folder, error) from error
        return ids


def write_tokens(folder: Path, vocabulary: Mapping[str, int], ids: Mapping[str, Ids]) -> None:
    """Store a vocabulary and the ids of some splits in a folder."""
    (folder / VOCABULARY_NAME).write_text("\n".join(vocabulary), encoding="utf-8")
    for split, values in ids.items():
        np.save(folder / _file_name(split), values, allow_pickle=False)


def _file_name(split: str) -> str:
    return f"{split}_ids.npy"


def _damaged(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"The text in '{folder}' is damaged: {error}. Import '{folder.name}' again with "
        f"'nasbench data import {folder.name} PATH'."
    )
