"""The search space of NAS-Bench-NLP cells. Importing this module does not import torch."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ....core.capabilities import Tokens
from ....core.data.data_home import stored_folder
from ....core.interfaces import GroundTruth, SearchSpace
from .canonical import canonical_recipe
from .recipe import parse_recipe

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from ....benchmarks_data.tables.store import StoredTable
    from ....core.descriptions import DatasetInfo
    from ....core.domain import Metric
    from ....core.pictures.graph import CellGraph
    from .records import RecordedCells

DATA_SOURCE = "nasbench-nlp"
EMBEDDING_SOURCE = "nasbench-nlp-embedding"


class NasbenchNlp(SearchSpace):
    """Recurrent cells: those of the imported table, or else random ones."""

    _metric: Metric | None = None

    @property
    def size(self) -> int | None:
        """Number of cells to sample from in the table; None without one, when cells are generated."""
        return None if self._records is None else len(self._records.arch_ids)

    @property
    def sampling(self) -> str:
        """How ``sample`` chooses, in words."""
        if self._records is None:
            return "random cells as the benchmark's authors generated them, without repetition"
        measured = "" if self._metric is None else " with the metric"
        return f"uniform over the {self.size:,} cells of the imported table{measured}, without replacement"

    def compared_by(self, metric: Metric) -> SearchSpace:
        """Return the space whose samples are those cells of the table that have this metric."""
        space = copy.copy(self)
        space.__dict__.pop("_records", None)
        space._metric = metric
        return space

    def canonicalize(self, text: str) -> str:
        """Return the canonical spelling of a cell.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-NLP recipe.
        """
        return canonical_recipe(text)

    def describe(self, text: str) -> str:
        """Return the number of states and what the cell is made of.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-NLP recipe.
        """
        from .picture import LABELS

        recipe = parse_recipe(text)
        counts = Counter(LABELS[node.operation][0] for node in recipe.nodes.values())
        states = "1 state" if recipe.num_states == 1 else f"{recipe.num_states} states"
        return f"{states}; {', '.join(f'{count} {label}' for label, count in counts.most_common())}"

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graph of the cell, with operations on its nodes."""
        from .picture import cell_graph

        return (cell_graph(arch_id),)

    def ground_truth(self) -> GroundTruth | None:
        """Return the imported table, None if there is none."""
        return self._table

    def neighbours(self, text: str) -> list[str] | None:
        """Return every cell that is one edit away, canonical; None with a table, in which few of them are.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-NLP recipe.
        """
        from .mutation import neighbours

        return neighbours(text) if self._records is None else None

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        """Return a cell that is one edit away; with a table, one of its cells that is near."""
        if self._records is not None:
            return self._records.mutate(canonical_recipe(text), rng)
        from .mutation import mutate

        return mutate(text, rng)

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        if self._records is not None:
            arch_ids = self._records.arch_ids
            return [arch_ids[index] for index in rng.choice(len(arch_ids), count, replace=False)]
        from .generator import draw_recipe

        drawn: dict[str, None] = {}
        while len(drawn) < count:
            drawn.setdefault(canonical_recipe(draw_recipe(rng)))
        return list(drawn)

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        recipe = parse_recipe(arch_id)
        if Tokens in dataset.provides:
            from .language_model import LanguageModel

            # The ground truth of each text was measured with the dropouts of its own trainings.
            own = dataset.name if dataset.name == "wikitext-2" and variant == "benchmark" else variant
            return LanguageModel(recipe, dataset.num_classes, own)
        from .network import VARIANTS, RecurrentNetwork

        return RecurrentNetwork(recipe, VARIANTS[variant])

    @cached_property
    def _table(self) -> StoredTable | None:
        folder = stored_folder(DATA_SOURCE)
        if folder is None:
            return None
        from ....benchmarks_data.tables.store import TABLE_NAME
        from .table import RecurrentCellTable

        return RecurrentCellTable.open(folder / TABLE_NAME)

    @cached_property
    def _records(self) -> RecordedCells | None:
        """The cells of the table that have the metric by which they are compared; None without a table."""
        if self._table is None:
            return None
        from .records import RecordedCells

        arch_ids = self._table.arch_ids
        if self._metric is not None:
            values = self._table.values(self._metric, arch_ids)
            arch_ids = [arch_id for arch_id, value in zip(arch_ids, values, strict=True) if not math.isnan(value)]
        return RecordedCells(arch_ids, self._vectors(arch_ids))

    def _vectors(self, arch_ids: Sequence[str]) -> Mapping[str, npt.NDArray[np.float64]]:
        """Return the vectors of cells; none unless the embedding was imported, and a table that says what it means."""
        from ....benchmarks_data.tables.identifiers import IDENTIFIERS_NAME, read_identifiers

        embedding, table = stored_folder(EMBEDDING_SOURCE), stored_folder(DATA_SOURCE)
        if embedding is None or table is None or not (table / IDENTIFIERS_NAME).exists():
            return {}
        from .embedding import read_embedding

        known, wanted = read_embedding(embedding), set(arch_ids)
        vectors: dict[str, npt.NDArray[np.float64]] = {}
        for identifier, arch_id in read_identifiers(table / IDENTIFIERS_NAME).items():
            if arch_id in wanted and identifier in known:
                # Repeated trainings of a cell have numbers of their own: the first one's vector stands for it.
                vectors.setdefault(arch_id, known[identifier])
        return vectors
