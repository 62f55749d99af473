"""What a NAS-Bench-101 cell looks like: operations are nodes. Importing this module does not import torch."""

from __future__ import annotations

from ....core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from .cell import parse_cell, prune
from .other_spellings import own_notation

_LABELS = {
    "conv3x3-bn-relu": ("conv 3×3", OperationFamily.CONVOLUTION),
    "conv1x1-bn-relu": ("conv 1×1", OperationFamily.CONVOLUTION),
    "maxpool3x3": ("max pool 3×3", OperationFamily.POOLING),
}


def cell_graph(text: str) -> CellGraph:
    """Return the graph of a cell, without vertices that do not matter.

    Raises:
        InvalidArchitectureError: ``text`` is no NAS-Bench-101 cell.
    """
    cell = prune(parse_cell(own_notation(text)))
    operations = [
        CellNode(str(vertex), label, NodeKind.OPERATION, family)
        for vertex, (label, family) in enumerate((_LABELS[op] for op in cell.ops), start=1)
    ]
    nodes = (
        CellNode("0", "input", NodeKind.INPUT),
        *operations,
        CellNode(str(cell.output), "output", NodeKind.OUTPUT),
    )
    return CellGraph("cell", nodes, tuple(CellEdge(str(source), str(target)) for source, target in cell.edges))
