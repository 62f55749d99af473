"""Cells and architectures as data, and when two cells are one.

A cell has two inputs, the outputs of the two cells before it, with the indices 0 and 1, and nodes with the indices 2, 3
and so on. A node is the sum of two operations, each on an input or an earlier node.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NUM_INPUTS = 2


class Edge(NamedTuple):
    """An operation, by its name, on the output of an input or node, by its index."""

    source: int
    operation: str


Node = tuple[Edge, Edge]
Cell = tuple[Node, ...]


@dataclass(frozen=True)
class Architecture:
    """Two cells, and how wide and deep the network is that is made of them.

    Attributes:
        width: Channels of a node before the first reduction; an even number.
        depth: Number of cells.
        normal: The cell that keeps the resolution.
        reduction: The cell that halves it: a third and two thirds of the way down.
    """

    width: int
    depth: int
    normal: Cell
    reduction: Cell


def loose_ends(cell: Cell) -> tuple[int, ...]:
    """Return the indices of the nodes whose output no other node takes, in rising order; never empty."""
    taken = {edge.source for node in cell for edge in node}
    return tuple(index for index in range(NUM_INPUTS, NUM_INPUTS + len(cell)) if index not in taken)


def canonical_cell(cell: Cell, rank: Mapping[str, int], sourceless: Collection[str]) -> Cell:
    """Return the first of a cell's spellings: it is the same for cells that differ only in the order of things.

    Spellings differ in the order of a node's two edges, in the numbers of the nodes, and in the source of an operation
    that lets nothing pass. Spellings are compared node by node, by sources and then by operations.

    Args:
        cell: Any spelling.
        rank: Place of each operation in the order.
        sourceless: Operations whose source makes no difference; it becomes 0.
    """
    # Ways to number the nodes of the same beginning: new index by old index.
    numberings: list[Mapping[int, int]] = [{index: index for index in range(NUM_INPUTS)}]
    canonical: list[Node] = []
    for position in range(NUM_INPUTS, NUM_INPUTS + len(cell)):
        continued = [
            (_renumbered(node, numbering, rank, sourceless), {**numbering, index: position})
            for numbering in numberings
            for index, node in enumerate(cell, NUM_INPUTS)
            if index not in numbering and _is_fed(node, numbering, sourceless)
        ]
        first = min(_key(node, rank) for node, _ in continued)
        chosen = [(node, numbering) for node, numbering in continued if _key(node, rank) == first]
        canonical.append(chosen[0][0])
        numberings = [numbering for _, numbering in chosen]
        if len(numberings) > 1:
            numberings = _distinct(numberings, cell, sourceless)
    return tuple(canonical)


def _distinct(
    numberings: Sequence[Mapping[int, int]], cell: Cell, sourceless: Collection[str]
) -> list[Mapping[int, int]]:
    """Leave out numberings that another one becomes by swapping two nodes which are alike to the cell.

    Both lead to the same spellings, and with many equal nodes there are as many as ways to order them.
    """
    kept: list[Mapping[int, int]] = []
    for numbering in numberings:
        *before, last = numbering
        if not any(
            list(other)[:-1] == before and _are_alike(list(other)[-1], last, cell, sourceless) for other in kept
        ):
            kept.append(numbering)
    return kept


def _are_alike(one: int, other: int, cell: Cell, sourceless: Collection[str]) -> bool:
    """Whether a cell with two nodes swapped is the same cell."""
    swapped = {one: other, other: one}

    def edges(node: Node, names: Mapping[int, int]) -> list[Edge]:
        return sorted(Edge(-1 if name in sourceless else names.get(source, source), name) for source, name in node)

    nodes = dict(enumerate(cell, NUM_INPUTS))
    return all(edges(node, swapped) == edges(nodes[swapped.get(index, index)], {}) for index, node in nodes.items())


def _is_fed(node: Node, numbering: Mapping[int, int], sourceless: Collection[str]) -> bool:
    return all(edge.source in numbering or edge.operation in sourceless for edge in node)


def _renumbered(node: Node, numbering: Mapping[int, int], rank: Mapping[str, int], sourceless: Collection[str]) -> Node:
    edges = [Edge(0 if name in sourceless else numbering[source], name) for source, name in node]
    first, second = sorted(edges, key=lambda edge: (edge.source, rank[edge.operation]))
    return first, second


def _key(node: Node, rank: Mapping[str, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(edge.source for edge in node), tuple(rank[edge.operation] for edge in node)
