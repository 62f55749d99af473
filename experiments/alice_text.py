"""Prepares the small text that the package brings, from the Canterbury corpus's copy of a book.

    python -m nasbench_toolkit.experiments.alice_text alice29.txt alice.zip

``benchmarks_data/alice.md`` says what is done to it.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

SOURCE_DIGEST = "7467306ee0feed4971260f3c87421154a05be571d944e9cb021a5713700c38f0"
"""SHA-256 of ``alice29.txt``."""

UNKNOWN = "<unk>"
FEWEST_OCCURRENCES = 2
"""Of words in the training part. Ours."""

NUM_TRAINING_CHAPTERS = 10

_HEADING = re.compile(r"^ +CHAPTER [IVX]+\n\n.*\n", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*|--|[^\w\s]")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def chapters(book: str) -> list[list[list[str]]]:
    """Return the words of each paragraph of each chapter."""
    bodies = _HEADING.split(book.partition("THE END")[0])[1:]
    return [
        [words for paragraph in re.split(r"\n\s*\n", body) if (words := _words(paragraph)) and words[0] != "*"]
        for body in bodies
    ]


def _words(paragraph: str) -> list[str]:
    joined = re.sub(r"(?<=\w-)\n\s*", "", paragraph)
    return _WORD.findall(joined.lower())


def parts(book: str) -> Mapping[str, str]:
    """Return the prepared text of each part, one paragraph a line."""
    made = chapters(book)
    split = {"train": made[:NUM_TRAINING_CHAPTERS], "valid": made[-2:-1], "test": made[-1:]}
    counts = Counter(word for chapter in split["train"] for paragraph in chapter for word in paragraph)
    known = {word for word, count in counts.items() if count >= FEWEST_OCCURRENCES}
    return {
        part: "".join(
            f"{' '.join(word if word in known else UNKNOWN for word in paragraph)}\n"
            for chapter in some
            for paragraph in chapter
        )
        for part, some in split.items()
    }


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
def main(source: Path, target: Path) -> None:
    """Write the text of SOURCE, alice29.txt, to TARGET, an archive."""
    contents = source.read_bytes()
    if hashlib.sha256(contents).hexdigest() != SOURCE_DIGEST:
        raise click.ClickException(f"'{source}' is not the Canterbury corpus's alice29.txt.")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for part, text in parts(contents.decode("ascii").replace("\r\n", "\n")).items():
            archive.writestr(zipfile.ZipInfo(f"{part}.txt", _LONG_AGO), text, zipfile.ZIP_DEFLATED)
            click.echo(
                f"{part}: {len(text.split()):,} words, {text.count(chr(10)):,} lines, {len(set(text.split())):,} kinds"
            )


if __name__ == "__main__":
    main()
