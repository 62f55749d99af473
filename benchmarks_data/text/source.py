"""Imports WikiText-2 and the Penn Treebank into the data directory."""

from __future__ import annotations

from pathlib import Path

from ...core.descriptions import DataSourceInfo
from ...core.errors import DataError
from ...core.input_files import UTF8
from ...core.interfaces import DataSource, ImportSummary, Progress
from ..named_files import NamedFile, open_named_files
from .tokens import SPLITS, Ids, StoredTokens, UnknownWordError, build_vocabulary, encode, write_tokens

FILE_NAMES = {"wikitext-2": "wiki.{split}.tokens", "ptb": "ptb.{split}.txt"}

MAX_TEXT_BYTES = 128 * 2**20
"""Ten times the largest of these files. Ours."""


class TokenSource(DataSource):
    """A text set; ``info.name`` says which."""

    def __init__(self, info: DataSourceInfo) -> None:
        super().__init__(info)
        self.file_names = {split: FILE_NAMES[info.name].format(split=split) for split in SPLITS}

    def import_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read the official text files, the training text and whichever others are there, and store their tokens.

        Raises:
            DataError: The training text is missing, a file is not UTF-8, or has a word that cannot be numbered.
        """
        with open_named_files(path, list(self.file_names.values())) as found:
            files = {split: found[name] for split, name in self.file_names.items() if name in found}
            if "train" not in files:
                raise DataError(f"'{path}' has no file {self.file_names['train']}. {self.info.accepts}")
            ids = self._encode_all(files, folder, progress)
        missing = [name for name in self.file_names.values() if name not in found]
        notes = (f"Not there, and left out: {', '.join(missing)}.",) if missing else ()
        return ImportSummary(sum(len(values) for values in ids.values()), "tokens", notes)

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
                raise DataError(
                    f"'{file.location}' and the training text do not belong together: {error}, and there is no <unk> "
                    f"for it. Get the official files from {self.info.homepage}."
                ) from error
            progress(done, len(files))
        write_tokens(folder, vocabulary, ids)
        return ids

    def _read_text(self, file: NamedFile) -> str:
        try:
            text = file.read(MAX_TEXT_BYTES).decode(UTF8)
        except UnicodeDecodeError as error:
            raise DataError(
                f"'{file.location}' is not a text: byte {error.start:,} is not UTF-8. Get the official file from "
                f"{self.info.homepage}."
            ) from error
        if not text.strip():
            raise DataError(f"'{file.location}' is empty. Get the official file from {self.info.homepage}.")
        return text
