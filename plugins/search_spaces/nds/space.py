"""The search space of a definition of cells. Importing this module does not import torch."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ....core.data.data_home import stored_folder
from ....core.domain import Metric
from ....core.errors import InvalidArchitectureError
from ....core.interfaces import GroundTruth, SearchSpace
from .definition import MIN_DEPTH, CellSpaceDefinition, Form
from .genotype import Architecture, Cell
from .nearest import RECORDS_DRAWN, nearest
from .notation import format_architecture, parse_architecture

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from ....benchmarks_data.tables.store import StoredTable
    from ....core.descriptions import DatasetInfo
    from ....core.pictures.graph import CellGraph

FORMS: dict[str, Form] = {"imagenet": "imagenet", "imagenet-unstrided": "imagenet-unstrided"}
SINGLE_CELLS = ("single-cell", "te-nas")

NARROW_WIDTH = 4
REDUCED_SHARE = 4

NETWORK_VARIANTS = {
    "benchmark": "the networks for CIFAR: a stem of three times the width, cells, pooling and classifier",
    "imagenet": "the networks for ImageNet: two stems, which leave an eighth of the images' resolution",
    "imagenet-unstrided": "the same with stems that keep the resolution, as GenNAS scores networks for ImageNet",
    "narrow": "the networks for CIFAR with width 4 and three cells, one of them normal, after TE-NAS",
    "reduced": "the networks for CIFAR with a quarter of the width, after EcoNAS",
    "single-cell": "one normal cell with 4 channels, no stem, after SWAP",
    "te-nas": "the single cell with batch norm and ReLU behind it, after TE-NAS",
}

IDENTITY = (
    "Architectures are one if they differ only in the order of a node's two edges, in the numbers of the nodes, and in "
    "what `none` works on."
)


class CellSpace(SearchSpace):
    """Networks of two cells, each of nodes that are sums of two operations.

    Attributes:
        definition: What the space is made of.
    """

    definition: ClassVar[CellSpaceDefinition]
    _metric: Metric | None = None

    @property
    def size(self) -> int | None:
        """Number of records to sample from; None without a table: nobody counted architectures without repetition."""
        return None if self._records is None else len(self._records)

    @property
    def sampling(self) -> str:
        """How ``sample`` chooses, in words."""
        if self._records is None:
            return "each decision of the definition uniform, without repetition"
        return (
            f"uniform over the {self.size:,} architectures of the imported table with the metric, without replacement"
        )

    def compared_by(self, metric: Metric) -> SearchSpace:
        """Return the space whose samples are those architectures of the table that have this metric."""
        space = copy.copy(self)
        space.__dict__.pop("_records", None)
        space._metric = metric
        return space

    def ground_truth(self) -> GroundTruth | None:
        """Return the imported table, None if there is none."""
        return self._table

    def canonicalize(self, text: str) -> str:
        """Return the first spelling of an architecture.

        Raises:
            InvalidArchitectureError: ``text`` is none of this space.
        """
        return format_architecture(self.definition.canonical(self._parse(text)))

    def example(self) -> str:
        """Return a small architecture: the first draw, with the smallest width and depth."""
        import numpy as np

        drawn = self._draw(np.random.default_rng(0))
        smallest = replace(drawn, width=min(self.definition.widths), depth=min(self.definition.depths))
        return format_architecture(self.definition.canonical(smallest))

    def describe(self, text: str) -> str:
        """Return width, depth, and what the two cells are made of.

        Raises:
            InvalidArchitectureError: ``text`` is none of this space.
        """
        architecture = self._parse(text)
        return (
            f"{architecture.width} channels, {architecture.depth} cells; normal cell: "
            f"{_operations(architecture.normal)}; reduction cell: {_operations(architecture.reduction)}"
        )

    def neighbours(self, text: str) -> list[str] | None:
        """Return every architecture that differs in width, depth, or an operation or source of one edge.

        Raises:
            InvalidArchitectureError: ``text`` is none of this space.
        """
        return [format_architecture(neighbour) for neighbour in self.definition.neighbours(self._parse(text))]

    def choices(self) -> tuple[tuple[str, ...], ...] | None:
        """Return the options of width, depth, and operation and source of each edge."""
        return self.definition.choices()

    def assemble(self, options: Sequence[int]) -> str:
        """Return the architecture that takes these options."""
        choices = self.definition.choices()
        return format_architecture(
            self.definition.assemble([names[option] for names, option in zip(choices, options, strict=True)])
        )

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graphs of normal and reduction cell, with operations on their edges."""
        from .picture import cell_graphs

        return cell_graphs(self._parse(arch_id), self.definition)

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        if self._records is not None:
            return [self._records[index] for index in rng.choice(len(self._records), count, replace=False)]
        drawn: dict[str, None] = {}
        while len(drawn) < count:
            drawn.setdefault(format_architecture(self.definition.canonical(self._draw(rng))))
        return list(drawn)

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        """Take another option of one decision, both drawn uniformly; with records, the nearest of some."""
        if self._records is not None:
            return self._nearest_record(text, self._records, rng)
        choices, chosen = self.definition.choices(), self.definition.decisions(self._parse(text))
        others = [[option for option in options if option != old] for options, old in zip(choices, chosen, strict=True)]
        open_places = [place for place, options in enumerate(others) if options]
        place = open_places[rng.integers(len(open_places))]
        chosen[place] = others[place][rng.integers(len(others[place]))]
        return format_architecture(self.definition.assemble(chosen))

    def _nearest_record(self, text: str, records: Sequence[str], rng: np.random.Generator) -> str:
        drawn = rng.choice(len(records), min(RECORDS_DRAWN, len(records)), replace=False)
        candidates = [self._parse(records[index]) for index in drawn]
        return format_architecture(nearest(self._parse(text), candidates, self.definition))

    def _draw(self, rng: np.random.Generator) -> Architecture:
        return self.definition.assemble([options[rng.integers(len(options))] for options in self.definition.choices()])

    def _parse(self, text: str) -> Architecture:
        try:
            return parse_architecture(text, self.definition)
        except InvalidArchitectureError as error:
            raise InvalidArchitectureError(f"Architecture of '{self.name}': {str(error).rstrip('.')}.") from error

    @cached_property
    def _table(self) -> StoredTable | None:
        folder = None if self.info.requires is None else stored_folder(self.info.requires)
        if folder is None:
            return None
        from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable

        return StoredTable.open(folder / TABLE_NAME)

    @cached_property
    def _records(self) -> list[str] | None:
        """Architectures of the table that have the metric by which they are compared; None without a table."""
        if self._table is None:
            return None
        arch_ids = self._table.arch_ids
        values = self._table.values(self._metric or self._table.metrics[0], arch_ids)
        return [arch_id for arch_id, value in zip(arch_ids, values, strict=True) if not math.isnan(value)]

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        from .cell_network import CellNetwork, SingleCellNetwork

        architecture = self._parse(arch_id)
        input_channels, num_classes = dataset.image_shape[0], dataset.num_classes
        if variant in SINGLE_CELLS:
            return SingleCellNetwork(
                architecture,
                self.definition,
                input_channels=input_channels,
                num_classes=num_classes,
                final_activation=variant == "te-nas",
            )
        return CellNetwork(
            _resized(architecture, variant),
            self.definition,
            input_channels=input_channels,
            num_classes=num_classes,
            form=FORMS.get(variant, "cifar"),
        )


def _resized(architecture: Architecture, variant: str) -> Architecture:
    if variant == "narrow":
        return replace(architecture, width=NARROW_WIDTH, depth=MIN_DEPTH)
    if variant == "reduced":
        return replace(architecture, width=max(2, architecture.width // REDUCED_SHARE // 2 * 2))
    return architecture


def _operations(cell: Cell) -> str:
    counts = Counter(edge.operation for node in cell for edge in node)
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
