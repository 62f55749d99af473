"""The search space of NAS-Bench-NLP cells. Importing this module does not import torch."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ....core.data.data_home import stored_folder
from ....core.interfaces import GroundTruth, SearchSpace
from .canonical import canonical_recipe
from .recipe import parse_recipe

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from ....benchmarks_data.tables.store import StoredTable
    from ....core.descriptions import DatasetInfo
    from ....core.pictures.graph import CellGraph

DATA_SOURCE = "nasbench-nlp"


class NasbenchNlp(SearchSpace):
    """Recurrent cells: those of the imported table, or else random ones."""

    @property
    def size(self) -> int | None:
        """Number of cells in the table; None without one, when cells are generated."""
        return None if self._table is None else len(self._table)

    @property
    def sampling(self) -> str:
        """How ``sample`` chooses, in words."""
        if self._table is None:
            return "random cells as the benchmark's authors generated them, without repetition"
        return f"uniform over the {len(self._table):,} cells of the imported table, without replacement"

    def canonicalize(self, text: str) -> str:
        """Return the canonical spelling of a cell.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-NLP recipe.
        """
        return canonical_recipe(text)

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graph of the cell, with operations on its nodes."""
        from .picture import cell_graph

        return (cell_graph(arch_id),)

    def ground_truth(self) -> GroundTruth | None:
        """Return the imported table, None if there is none."""
        return self._table

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        if self._table is not None:
            arch_ids = self._table.arch_ids
            return [arch_ids[index] for index in rng.choice(len(arch_ids), count, replace=False)]
        from .generator import draw_recipe

        drawn: dict[str, None] = {}
        while len(drawn) < count:
            drawn.setdefault(canonical_recipe(draw_recipe(rng)))
        return list(drawn)

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        from .network import VARIANTS, RecurrentNetwork

        return RecurrentNetwork(parse_recipe(arch_id), VARIANTS[variant])

    @cached_property
    def _table(self) -> StoredTable | None:
        folder = stored_folder(DATA_SOURCE)
        if folder is None:
            return None
        from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable

        return StoredTable.open(folder / TABLE_NAME)
