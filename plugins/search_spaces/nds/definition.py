"""What makes a cell space: its operations, its nodes, its sizes, and the decisions that these leave open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

from ....core.errors import InvalidArchitectureError, PluginError
from ....core.pictures.graph import OperationFamily
from .genotype import NUM_INPUTS, Architecture, Cell, Edge, canonical_cell, loose_ends
from .operations import Operation

Form = Literal["cifar", "imagenet", "imagenet-unstrided"]
"""Which stem a network has; :class:`.cell_network.CellNetwork` says what they are."""

MIN_DEPTH = 3
"""With fewer cells, the two reductions are not two, or nothing comes before the first."""

MAX_DEPTH = 100
MAX_WIDTH = 1024


@dataclass(frozen=True, kw_only=True)
class CellSpaceDefinition:
    """A space of cell networks.

    Attributes:
        operations: What may stand on an edge.
        num_nodes: Nodes of each of the two cells.
        output: What a cell concatenates: all its nodes, or those that no other node takes.
        widths: Channels to draw from; architectures of other even widths can be spelled too.
        depths: Numbers of cells to draw from; others from 3 can be spelled too.

    Raises:
        PluginError: There is no space like this.
    """

    states_size: ClassVar[bool] = True
    """Whether the text of an architecture begins with its width and depth."""

    operations: tuple[Operation, ...]
    num_nodes: int
    output: Literal["all nodes", "loose ends"]
    widths: tuple[int, ...]
    depths: tuple[int, ...]

    def __post_init__(self) -> None:
        names = [operation.name for operation in self.operations]
        if not names or len(set(names)) < len(names) or not all(name.isalnum() for name in names):
            raise PluginError(f"A cell space needs operations with different names of letters and digits, got {names}.")
        if self.num_nodes < 1:
            raise PluginError(f"Cells need at least one node, got {self.num_nodes}.")
        if not self.widths or not all(2 <= width <= MAX_WIDTH and width % 2 == 0 for width in self.widths):
            raise PluginError(f"Widths must be even numbers from 2 to {MAX_WIDTH}, got {self.widths}.")
        if not self.depths or not all(MIN_DEPTH <= depth <= MAX_DEPTH for depth in self.depths):
            raise PluginError(f"Depths must be numbers from {MIN_DEPTH} to {MAX_DEPTH}, got {self.depths}.")

    @cached_property
    def by_name(self) -> dict[str, Operation]:
        """The operations by their name."""
        return {operation.name: operation for operation in self.operations}

    def outputs(self, cell: Cell) -> tuple[int, ...]:
        """Return the indices of the nodes that a cell concatenates, in rising order."""
        if self.output == "all nodes":
            return tuple(range(NUM_INPUTS, NUM_INPUTS + len(cell)))
        return loose_ends(cell)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the first spelling of an architecture."""
        rank = {operation.name: place for place, operation in enumerate(self.operations)}
        # Among loose ends, the source of an operation that lets nothing pass still decides what is concatenated.
        zeros = [operation.name for operation in self.operations if operation.family is OperationFamily.ZERO]
        sourceless = zeros if self.output == "all nodes" else []
        return replace(
            architecture,
            normal=canonical_cell(architecture.normal, rank, sourceless),
            reduction=canonical_cell(architecture.reduction, rank, sourceless),
        )

    def architecture(self, size: tuple[int, int] | None, normal: Cell, reduction: Cell) -> Architecture:
        """Return the architecture of two cells.

        Args:
            size: Width and depth, None if the text of the architecture has none.
            normal: The normal cell.
            reduction: The reduction cell.

        Raises:
            InvalidArchitectureError: There is no size, or networks of this size cannot be built.
        """
        if size is None:
            raise InvalidArchitectureError("width and depth are missing, expected such as 'w16d8/' before the cells")
        width, depth = size
        if width % 2 or not 2 <= width <= MAX_WIDTH:
            raise InvalidArchitectureError(f"the width is {width!s:.40}, expected an even number from 2 to {MAX_WIDTH}")
        if not MIN_DEPTH <= depth <= MAX_DEPTH:
            raise InvalidArchitectureError(f"the depth is {depth!s:.40}, expected {MIN_DEPTH} to {MAX_DEPTH} cells")
        return Architecture(width, depth, normal, reduction)

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Return the options of width, depth, and then operation and source of each edge, cell by cell."""
        names = tuple(operation.name for operation in self.operations)
        edges = []
        for index in range(NUM_INPUTS, NUM_INPUTS + self.num_nodes):
            edges += [names, tuple(str(source) for source in range(index))] * 2
        return (tuple(map(str, self.widths)), tuple(map(str, self.depths)), *edges, *edges)

    def assemble(self, chosen: Sequence[str]) -> Architecture:
        """Return the architecture that takes these options, one for each of ``choices``."""
        half = 2 + 4 * self.num_nodes
        return Architecture(int(chosen[0]), int(chosen[1]), _cell(chosen[2:half]), _cell(chosen[half:]))

    def decisions(self, architecture: Architecture) -> list[str]:
        """Return what an architecture chose of each of ``choices``; width and depth may be none of the options."""
        chosen = [str(architecture.width), str(architecture.depth)]
        for cell in (architecture.normal, architecture.reduction):
            for node in cell:
                for edge in node:
                    chosen += [edge.operation, str(edge.source)]
        return chosen

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Yield every architecture that differs in one decision, in a fixed order."""
        chosen = self.decisions(architecture)
        for place, options in enumerate(self.choices()):
            for option in options:
                if option != chosen[place]:
                    yield self.assemble([*chosen[:place], option, *chosen[place + 1 :]])


def _cell(chosen: Sequence[str]) -> Cell:
    edges = [Edge(int(source), name) for name, source in zip(chosen[::2], chosen[1::2], strict=True)]
    return tuple(zip(edges[::2], edges[1::2], strict=True))
