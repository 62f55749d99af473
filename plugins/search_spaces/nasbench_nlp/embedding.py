"""The benchmark's embedding of its recipes: a vector for each, made of random walks through its graph (doc2vec).

Its authors' and GenNAS's evolution moves through it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....benchmarks_data.formats.nasbench_nlp_embedding import read_nasbench_nlp_embedding
from ....core.errors import DataError
from ....core.interfaces import DataSource, ImportSummary, Progress

if TYPE_CHECKING:
    import numpy.typing as npt

VECTORS_NAME = "vectors.npy"
RECIPES_NAME = "recipes.json"


class EmbeddingSource(DataSource):
    """Stores the vectors and the numbers of their recipes."""

    def import_from(self, path: Path, folder: Path, progress: Progress) -> ImportSummary:
        """Read the CSV file.

        Raises:
            DataError: It is no such table; the message names the line.
        """
        vectors = read_nasbench_nlp_embedding(path, progress)
        np.save(folder / VECTORS_NAME, np.array(list(vectors.values())), allow_pickle=False)
        (folder / RECIPES_NAME).write_text(json.dumps(list(vectors)), encoding="utf-8")
        return ImportSummary(len(vectors), "vectors")

    def verify(self, folder: Path, progress: Progress) -> ImportSummary:
        """Read what was stored.

        Raises:
            DataError: It is damaged.
        """
        return ImportSummary(len(read_embedding(folder)), "vectors")


def read_embedding(folder: Path) -> Mapping[str, npt.NDArray[np.float64]]:
    """Return the stored vectors by the numbers of their recipes.

    Raises:
        DataError: A file is damaged.
    """
    try:
        recipes = json.loads((folder / RECIPES_NAME).read_text(encoding="utf-8"))
        vectors = np.load(folder / VECTORS_NAME, allow_pickle=False)
        if vectors.ndim != 2 or vectors.dtype != np.float64 or len(recipes) != len(vectors) or not len(vectors):
            raise ValueError("its files do not belong together")
        return dict(zip(map(str, recipes), vectors, strict=True))
    except (OSError, ValueError, TypeError, EOFError, RecursionError) as error:
        raise DataError(f"The embedding in '{folder}' is damaged: {error}. Import it again.") from error
