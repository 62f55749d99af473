"""Imports WikiText-2, the Penn Treebank or a text of the user's own into the data directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...core.descriptions import DataSourceInfo
from ...core.errors import DataError
from ...core.input_files import UTF8
from ...core.interfaces import DataSource, ImportSummary, Progress
from ..named_files import NamedFile, open_named_files
from .tokens import SPLITS, Ids, StoredTokens, UnknownWordError, build_vocabulary, encode, write_tokens

FILE_NAMES = {"wikitext-2": ("wiki.{split}.tokens",), "ptb": ("ptb.{split}.txt",)}
"""What the files of a text set are called."""

OWN_FILE_NAMES = ("{split}.txt", "{split}.tokens", "wiki.{split}.tokens", "ptb.{split}.txt")
"""What those of a user's own may be called."""

MAX_TEXT_BYTES = 128 * 2**20
"""Ten times the largest of the official files. Ours."""


class TokenSource(DataSource):
    """A text set; ``info.name`` says which."""

    def __init__(self, info: DataSourceInfo) -> None:
        super().__init__(info)
        patterns = FILE_NAMES.get(info.name, OWN_FILE_NAMES)
        self.file_names = {split: [pattern.format(split=split) for pattern in patterns] for split in SPLITS}

    def import_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read the text files, the training text and whichever others are there, and store their tokens.

        Raises:
            DataError: The training text is missing, or a part is given twice, is empty, is not UTF-8, contains NUL, or
                has a word that the training text does not have.
        """
        with open_named_files(path, [name for names in self.file_names.values() for name in names]) as found:
            files = {split: file for split in SPLITS if (file := self._file_of(split, path, found)) is not None}
            if "train" not in files:
                raise DataError(f"'{path}' has no file {' or '.join(self.file_names['train'])}. {self.info.accepts}")
            ids = self._encode_all(files, folder, progress)
        missing = [self.file_names[split][0] for split in SPLITS if split not in files]
        notes = (f"Not there, and left out: {', '.join(missing)}.",) if missing else ()
        return ImportSummary(sum(len(values) for values in ids.values()), "tokens", notes)

    def _file_of(self, split: str, path: Path, found: Mapping[str, NamedFile]) -> NamedFile | None:
        names = [name for name in self.file_names[split] if name in found]
        if len(names) > 1:
            raise DataError(f"'{path}' has both {names[0]} and {names[1]}, which are one part. Leave one of them out.")
        return found[names[0]] if names else None

    def verify(self, folder: Path, progress: Progress) -> ImportSummary:
        """Check that all ids are of the vocabulary.

        Raises:
            DataError: They are not, or something is missing.
        """
        stored = StoredTokens.open(folder)
        return ImportSummary(sum(len(stored.ids(split)) for split in stored.splits), "tokens")

    def _encode_all(self, files: dict[str, NamedFile], folder: Path, progress: Progress) -> dict[str, Ids]:
        vocabulary = build_vocabulary(self._read_text(files["train"]))
        ids: dict[str, Ids] = {}
        for done, (split, file) in enumerate(files.items(), start=1):
            try:
                ids[split] = encode(self._read_text(file), vocabulary)
            except UnknownWordError as error:
                raise DataError(f"'{file.location}' and the training text do not belong together: {error}") from error
            progress(done, len(files))
        write_tokens(folder, vocabulary, ids)
        return ids

    def _read_text(self, file: NamedFile) -> str:
        contents = file.read(MAX_TEXT_BYTES)
        try:
            text = contents.decode(UTF8)
        except UnicodeDecodeError as error:
            raise self._no_text(file, contents, error.start, "is not UTF-8") from error
        place = contents.find(b"\0")
        if place >= 0:
            raise self._no_text(file, contents, place, "is NUL")
        if not text.strip():
            raise DataError(f"'{file.location}' is empty. {self._remedy}")
        return text

    def _no_text(self, file: NamedFile, contents: bytes, place: int, problem: str) -> DataError:
        line = contents.count(b"\n", 0, place) + 1
        return DataError(f"'{file.location}' is no text: byte {place:,}, in line {line:,}, {problem}. {self._remedy}")

    @property
    def _remedy(self) -> str:
        if self.info.homepage:
            return f"Get the official file from {self.info.homepage}."
        return "Save it as text, in UTF-8, with words separated by spaces."
