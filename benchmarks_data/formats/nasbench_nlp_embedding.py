"""NAS-Bench-NLP's embedding of its recipes as published: a CSV file with a vector for each.

The first column, ``recepie_id``, is the number of a recipe in the training logs; the others, ``v00``, ``v01``, .., are
the dimensions: 10 in ``doc2vec_features_lowdim.csv``, 50 in ``doc2vec_features.csv``.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...core.errors import DataError
from ...core.input_files import UTF8
from ...core.interfaces import Progress
from ...core.number_text import read_number

# The official 14,322 recipes with 50 dimensions take 14 MB.
_MAX_BYTES = 2**26
_MAX_DIMENSIONS = 1000
_ID_COLUMNS = ("recepie_id", "recipe_id")
_ROWS_PER_PROGRESS = 1000


def read_nasbench_nlp_embedding(path: Path, progress: Progress) -> dict[str, list[float]]:
    """Return the vectors by the numbers of their recipes.

    Args:
        path: The ``.csv`` file.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        DataError: The file is no such table; the message names the line.
    """
    if path.is_dir() or path.stat().st_size > _MAX_BYTES:
        raise DataError(f"'{path}' is no CSV file of at most {_MAX_BYTES:,} bytes. Name the file with the vectors.")
    size, vectors = path.stat().st_size, dict[str, list[float]]()
    try:
        with path.open(encoding=UTF8, newline="") as text:
            for number, (recipe, vector) in enumerate(_rows(path, csv.reader(text, strict=True))):
                if recipe in vectors:
                    raise DataError(f"'{path}' has two lines for the recipe {recipe}. Remove one, or get it again.")
                vectors[recipe] = vector
                if number % _ROWS_PER_PROGRESS == 0:
                    progress(0, size)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"'{path}' is no CSV in UTF-8: {error}. Get the file again.") from error
    if not vectors:
        raise DataError(f"'{path}' has no vectors: it ends with its first line. Get the file again.")
    progress(size, size)
    return vectors


def _rows(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[str, list[float]]]:
    header = next(reader, [])
    if not header or header[0] not in _ID_COLUMNS or not 2 <= len(header) <= _MAX_DIMENSIONS + 1:
        raise DataError(
            f"'{path}' does not begin with a line 'recepie_id,v00,v01,..' of up to {_MAX_DIMENSIONS:,} dimensions. It "
            "is no embedding of NAS-Bench-NLP: get 'doc2vec_features_lowdim.csv'."
        )
    for line, cells in enumerate(reader, start=2):
        if not cells:
            continue
        try:
            yield str(read_number(cells[0], int)), _vector(cells[1:], len(header) - 1)
        except ValueError as error:
            raise DataError(f"'{path}', line {line}: {error}. Correct the line, or get the file again.") from error


def _vector(cells: Sequence[str], dimensions: int) -> list[float]:
    if len(cells) != dimensions:
        raise ValueError(f"it has {len(cells)} numbers, the first line names {dimensions}")
    vector = [read_number(cell, float) for cell in cells]
    if not all(map(math.isfinite, vector)) or not any(vector):
        raise ValueError("its numbers are not finite, or all zero, which is no direction")
    return vector
