"""The small text inside this package, so that language models run without any import: see ``alice.md`` beside it."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Mapping
from importlib.resources import files

from .tokens import SPLITS, Ids, build_vocabulary, encode


@functools.cache
def load_alice() -> Mapping[str, Ids]:
    """Return the token ids of each part; they are shared: do not change them."""
    path = files(__package__.removesuffix(".text")).joinpath("alice.zip")
    with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        texts = {split: archive.read(f"{split}.txt").decode() for split in SPLITS}
    vocabulary = build_vocabulary(texts["train"])
    return {split: encode(text, vocabulary) for split, text in texts.items()}
