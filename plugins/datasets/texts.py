"""Text sets: pieces of running text as tokens, whose labels are the tokens that follow."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from ...benchmarks_data.text.alice import load_alice
from ...benchmarks_data.text.tokens import Ids, StoredTokens
from ...core.data.data_home import how_to_get, stored_folder
from ...core.errors import DataError
from ...core.interfaces import Dataset
from . import PIECE_LENGTH


class Text(Dataset):
    """Pieces that follow one another in a text; its last tokens, which make no whole piece, are left out.

    Must implement ``_read``; may implement ``_held_out_split``.

    Args:
        split: ``train``, ``valid`` or ``test``.
    """

    def __init__(self, split: str = "train") -> None:
        self.split = split

    @abstractmethod
    def _read(self) -> Ids:
        """Return the token ids of the split, shape (tokens,)."""

    def _held_out_split(self) -> str:
        """Return the split to test on."""
        return "test"

    def held_out(self) -> Self:
        """Return the part to test on.

        Raises:
            DataError: There is none.
        """
        return type(self)(self._held_out_split())

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the token that follows each token of each piece, shape (pieces, tokens of a piece).

        Raises:
            DataError: The text was not imported, is damaged, or is shorter than a piece.
        """
        return self._pieces(self._ids[1:])

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the pieces at these positions, shape (len(positions), tokens of a piece).

        Raises:
            DataError: See ``labels``.
        """
        return self._pieces(self._ids[:-1])[positions]

    @cached_property
    def _ids(self) -> npt.NDArray[np.int64]:
        return self._read().astype(np.int64)

    def _pieces(self, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        count = len(tokens) // PIECE_LENGTH
        if not count:
            raise DataError(
                f"The {self.split} part of the text has {len(tokens) + 1} tokens, which is less than a piece of "
                f"{PIECE_LENGTH} and the token that follows. Use a longer text."
            )
        return tokens[: count * PIECE_LENGTH].reshape(count, PIECE_LENGTH)


class Alice(Text):
    """Alice's Adventures in Wonderland: ten chapters to train on, one to test on."""

    def _read(self) -> Ids:
        return load_alice()[self.split]


class ImportedText(Text):
    """A text of an imported data source.

    Attributes:
        data_source: Its name.
    """

    data_source: ClassVar[str]

    @cached_property
    def _stored(self) -> StoredTokens:
        folder = stored_folder(self.data_source)
        if folder is None:
            raise DataError(f"The text '{self.data_source}' was not imported. {how_to_get(self.data_source)}")
        return StoredTokens.open(folder)

    def _read(self) -> Ids:
        return self._stored.ids(self.split)

    def _held_out_split(self) -> str:
        for split in ("test", "valid"):
            if split in self._stored.splits:
                return split
        raise DataError(
            f"The text '{self.data_source}' was imported without a part to test on. Import it again with its test part."
        )


class WikiText2(ImportedText):
    """WikiText-2."""

    data_source = "wikitext-2"


class PennTreebank(ImportedText):
    """The Penn Treebank."""

    data_source = "ptb"


class OwnText(ImportedText):
    """A text of the user's own."""

    data_source = "own-text"
