"""The search spaces of NAS-Bench-201 cells: the whole space, and the small one with a table of its own.

Both list one canonical cell for each network (`identity` says when two cells are the same one), and sampling is
uniform over the networks. Importing this module and reading the table does not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from ....core.errors import DataError, InvalidArchitectureError
from ....core.interfaces import GroundTruth, SearchSpace
from .cell import EDGES, OPERATIONS, format_arch_str
from .identity import canonical_arch_str, unique_arch_strs
from .other_spellings import parse_cell

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from ....benchmarks_data.nasbench201_tiny import TinyTable
    from ....core.descriptions import DatasetInfo
    from ....core.pictures.graph import CellGraph
    from ....core.supernets import SupernetNorm
    from .supernet import CellSupernet

# The size of NAS-Bench-201's networks (Dong & Yang, ICLR 2020, section 2.1).
STEM_CHANNELS = 16
CELLS_PER_STAGE = 5

# TE-NAS's networks for the condition number (Chen et al., ICLR 2021, released code).
NARROW_CHANNELS = 3

# In the code of the GenNAS authors (Li et al., NeurIPS 2021); their paper says one edge in six.
REDRAWN_SHARE = 1 / 5

# As small as a network with three stages of cells can be, and wide enough for cells to differ.
TINY_STEM_CHANNELS = 8
TINY_CELLS_PER_STAGE = 1


class Nasbench201(SearchSpace):
    """All 5,260 networks that the cells make, in NAS-Bench-201's own size: 16 channels, 5 cells a stage."""

    def _arch_ids(self) -> tuple[str, ...]:
        return unique_arch_strs()

    _benchmark_size: ClassVar[tuple[int, int]] = (STEM_CHANNELS, CELLS_PER_STAGE)

    def _network_size(self, variant: str) -> tuple[int, int]:
        """Return channels behind the stem and cells in each stage."""
        if variant == "narrow":
            return NARROW_CHANNELS, 1
        stem_channels, cells_per_stage = self._benchmark_size
        return stem_channels // 4 if variant == "reduced" else stem_channels, cells_per_stage

    @property
    def size(self) -> int:
        """Number of networks."""
        return len(self._arch_ids())

    def canonicalize(self, text: str) -> str:
        """Return the canonical string of the network of ``text``.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-201 cell.
        """
        return canonical_arch_str(parse_cell(text))

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        arch_ids = self._arch_ids()
        return [arch_ids[index] for index in rng.choice(len(arch_ids), count, replace=False)]

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        """Redraw each edge's operation with probability `REDRAWN_SHARE`, uniformly: it may come out as it was."""
        redrawn = rng.random(len(EDGES)) < REDRAWN_SHARE
        new = rng.integers(len(OPERATIONS), size=len(EDGES))
        ops = zip(parse_cell(text), redrawn, new, strict=True)
        return format_arch_str([OPERATIONS[index] if redraw else op for op, redraw, index in ops])

    def neighbours(self, text: str) -> list[str] | None:
        """Return the 24 cells that have another operation on one edge.

        Raises:
            InvalidArchitectureError: ``text`` is no cell of this space.
        """
        ops = parse_cell(text)
        return [
            format_arch_str([*ops[:edge], new, *ops[edge + 1 :]])
            for edge, old in enumerate(ops)
            for new in OPERATIONS
            if new != old
        ]

    def choices(self) -> tuple[tuple[str, ...], ...] | None:
        """Return the operations of each edge."""
        return (OPERATIONS,) * len(EDGES)

    def assemble(self, options: Sequence[int]) -> str:
        """Return the cell with these operations, indices in the order of ``EDGES``."""
        return format_arch_str([OPERATIONS[option] for option in options])

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        from .network import CellNetwork, SingleCellNetwork

        ops, input_channels, num_classes = parse_cell(arch_id), dataset.input_shape[0], dataset.num_classes
        if variant in ("single-cell", "te-nas"):
            return SingleCellNetwork(
                ops, input_channels=input_channels, num_classes=num_classes, final_activation=variant == "te-nas"
            )
        stem_channels, cells_per_stage = self._network_size(variant)
        return CellNetwork(
            ops,
            input_channels=input_channels,
            stem_channels=stem_channels,
            cells_per_stage=cells_per_stage,
            num_classes=num_classes,
            variant="gennas" if variant == "gennas" else "benchmark",
        )

    def _build_supernet(self, dataset: DatasetInfo, norm: SupernetNorm) -> CellSupernet:
        from .supernet import CellSupernet

        stem_channels, cells_per_stage = self._benchmark_size
        return CellSupernet(
            input_channels=dataset.input_shape[0],
            stem_channels=stem_channels,
            cells_per_stage=cells_per_stage,
            num_classes=dataset.num_classes,
            norm=norm,
        )

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graph of the cell, with operations on its edges."""
        from .picture import cell_graph

        return (cell_graph(arch_id),)

    def ground_truth(self) -> GroundTruth | None:
        """Return the table that was imported as ``nasbench201``, None if none was.

        Raises:
            DataError: The stored table is damaged, or of a version that took other cells for one architecture.
        """
        from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable
        from ....core.data.data_home import stored_folder

        folder = stored_folder("nasbench201")
        if folder is None:
            return None
        table = StoredTable.open(folder / TABLE_NAME)
        if not set(table.arch_ids) <= set(unique_arch_strs()):
            raise DataError(
                f"'{table.path}' has cells that are not canonical: it was imported when the benchmark's own rule "
                "decided which cells are one architecture. Import the table again."
            )
        return table


class Nasbench201Tiny(Nasbench201):
    """The cells of the embedded table, in the small networks that it was measured on."""

    def _arch_ids(self) -> tuple[str, ...]:
        return _tiny_table().arch_ids

    _benchmark_size = (TINY_STEM_CHANNELS, TINY_CELLS_PER_STAGE)

    def canonicalize(self, text: str) -> str:
        """Return the canonical string of a cell of the table.

        Raises:
            InvalidArchitectureError: ``text`` is no NAS-Bench-201 cell, or its network is not in the table.
        """
        arch_id = super().canonicalize(text)
        if arch_id not in _tiny_table().row_of:
            raise InvalidArchitectureError(
                f"'{text}' is not in the search space '{self.info.name}', which is tabular: it has only the "
                f"{self.size:,} cells of its table. Sample from it, or use 'nasbench201', which has all."
            )
        return arch_id

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        """Mutate until a cell of the table comes out, the same one if need be."""
        self.canonicalize(text)
        while True:
            child = super()._mutate(text, rng)
            if canonical_arch_str(parse_cell(child)) in _tiny_table().row_of:
                return child

    def neighbours(self, text: str) -> list[str] | None:
        """Return those cells of the table that have another operation on one edge.

        Raises:
            InvalidArchitectureError: ``text`` is no cell of the table.
        """
        self.canonicalize(text)
        cells = super().neighbours(text) or []
        return [cell for cell in cells if canonical_arch_str(parse_cell(cell)) in _tiny_table().row_of]

    def choices(self) -> None:
        """Return None: the table does not have every combination of operations."""

    def ground_truth(self) -> GroundTruth:
        """Return the embedded table."""
        from .tiny_ground_truth import TinyGroundTruth

        return TinyGroundTruth(_tiny_table())


@cache
def _tiny_table() -> TinyTable:
    from ....benchmarks_data.nasbench201_tiny import read_table

    return read_table()
