"""The search space of NAS-Bench-101 cells. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ....core.data.data_home import stored_folder
from ....core.interfaces import GroundTruth, SearchSpace
from .cell import NUM_CELLS, parse_cell
from .other_spellings import own_notation

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from ....benchmarks_data.tables.store import StoredTable
    from ....core.descriptions import DatasetInfo
    from ....core.pictures.graph import CellGraph

DATA_SOURCE = "nasbench101"


class Nasbench101(SearchSpace):
    """All 423,624 unique cells, in networks of three stages of three cells.

    A sample does not depend on whether the benchmark's table was imported. Only if the user's table lacks some of the
    cells, samples and mutants come from its cells, so that each has a ground truth.
    """

    @property
    def size(self) -> int:
        """Number of unique cells to sample from."""
        return NUM_CELLS if self._partial_table is None else len(self._partial_table)

    @property
    def sampling(self) -> str:
        """How ``sample`` chooses, in words."""
        if self._partial_table is None:
            return super().sampling
        return f"uniform over the {self.size:,} cells of the imported table, without replacement"

    def canonicalize(self, text: str) -> str:
        """Return the spelling of a cell that the benchmark trained, without vertices that do not matter.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-101 cell.
        """
        return self.canonicalize_many([text])[0]

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical string of each cell, some 250,000 a second.

        Raises:
            InvalidArchitectureError: One of them is no NAS-Bench-101 cell.
        """
        from .canonical import canonical_texts

        return canonical_texts(texts)

    def ground_truth(self) -> GroundTruth | None:
        """Return the imported table, None if there is none."""
        return self._table

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graph of the cell, with operations on its nodes."""
        from .picture import cell_graph

        return (cell_graph(arch_id),)

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        from .enumeration import sample_cells

        if self._partial_table is None:
            return sample_cells(count, rng)
        arch_ids = self._partial_table.arch_ids
        return [arch_ids[index] for index in rng.choice(len(arch_ids), count, replace=False)]

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        from .mutation import mutate
        from .recorded_cells import mutate_among

        if self._partial_table is not None:
            return mutate_among(self._partial_table.arch_ids, self.canonicalize(text), rng)
        return str(mutate(parse_cell(own_notation(text)), rng))

    def neighbours(self, text: str) -> list[str] | None:
        """Return every cell that has one edge more or less, or another operation at one of seven vertices.

        At most 31; spellings that differ may be the same cell. None with a table that lacks some of the cells, of which
        few are any.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-101 cell.
        """
        from .mutation import neighbours

        cells = [str(cell) for cell in neighbours(parse_cell(own_notation(text)))]
        return cells if self._partial_table is None else None

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        cell, input_channels = parse_cell(own_notation(arch_id)), dataset.input_shape[0]
        num_classes = dataset.num_classes
        if variant == "reference":
            from .reference import ReferenceNetwork

            return ReferenceNetwork(cell, input_channels=input_channels, num_classes=num_classes)
        from .network import VARIANTS, CellNetwork, SingleCellNetwork

        if variant in ("single-cell", "te-nas"):
            return SingleCellNetwork(
                cell, input_channels=input_channels, num_classes=num_classes, final_activation=variant == "te-nas"
            )
        return CellNetwork(cell, VARIANTS[variant], input_channels=input_channels, num_classes=num_classes)

    @cached_property
    def _table(self) -> StoredTable | None:
        folder = stored_folder(DATA_SOURCE)
        if folder is None:
            return None
        from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable

        return StoredTable.open(folder / TABLE_NAME)

    @property
    def _partial_table(self) -> StoredTable | None:
        """The imported table if it lacks some of the cells."""
        return None if self._table is None or len(self._table) == NUM_CELLS else self._table
