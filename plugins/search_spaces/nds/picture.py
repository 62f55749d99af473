"""What the two cells of an architecture look like: nodes are sums, operations stand on edges."""

from __future__ import annotations

from ....core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind
from .definition import CellSpaceDefinition
from .genotype import NUM_INPUTS, Architecture, Cell

_INPUT_LABELS = ("cell k-2", "cell k-1")


def cell_graphs(architecture: Architecture, definition: CellSpaceDefinition) -> tuple[CellGraph, CellGraph]:
    """Return the graphs of the normal cell and of the reduction cell."""
    return (
        _cell_graph("normal cell", architecture.normal, definition),
        _cell_graph("reduction cell", architecture.reduction, definition),
    )


def _cell_graph(name: str, cell: Cell, definition: CellSpaceDefinition) -> CellGraph:
    inputs = [CellNode(str(index), label, NodeKind.INPUT) for index, label in enumerate(_INPUT_LABELS)]
    sums = [CellNode(str(index), str(index), NodeKind.SUM) for index in range(NUM_INPUTS, NUM_INPUTS + len(cell))]
    edges = []
    for index, node in enumerate(cell, NUM_INPUTS):
        for edge in node:
            operation = definition.by_name[edge.operation]
            edges.append(CellEdge(str(edge.source), str(index), operation.label, operation.family))
    edges += [CellEdge(str(index), "output", "") for index in definition.outputs(cell)]
    return CellGraph(name, (*inputs, *sums, CellNode("output", "concat", NodeKind.CONCAT)), tuple(edges))
