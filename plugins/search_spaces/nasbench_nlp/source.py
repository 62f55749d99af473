"""Tables of NAS-Bench-NLP cells: the released training logs, and the interchange form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ....benchmarks_data.tables.raw import RawTable
from ....benchmarks_data.tables.source import Reader, TableSource
from ....core.interfaces import Progress
from .canonical import canonical_recipe


def _read_logs(path: Path, progress: Progress) -> RawTable:
    from ....benchmarks_data.formats.nasbench_nlp_logs import read_nasbench_nlp_logs

    return read_nasbench_nlp_logs(path, progress)


class NasbenchNlpSource(TableSource):
    """Stores one row for each cell; the benchmark trained some cells more than once, and their mean is kept.

    Trainings on Penn Treebank and on WikiText-2 stand for themselves: a cell whose training on one text failed keeps
    its loss on the other, and is left out where networks are compared by the loss that it lacks.
    """

    readers: ClassVar[Mapping[str, Reader]] = {**TableSource.readers, ".zip": _read_logs}
    what_is_merged = "repeated trainings"
    repeats_are_runs = True

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical form of each recipe.

        Raises:
            InvalidArchitectureError: One is no recipe.
        """
        return [canonical_recipe(text) for text in texts]
