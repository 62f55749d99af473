"""What a NAS-Bench-201 cell looks like: operations are edges, nodes are sums. Importing this does not import torch."""

from __future__ import annotations

from ....core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from .cell import EDGES
from .other_spellings import parse_cell

_LABELS = {
    "none": ("none", OperationFamily.ZERO),
    "skip_connect": ("skip", OperationFamily.IDENTITY),
    "nor_conv_1x1": ("conv 1×1", OperationFamily.CONVOLUTION),
    "nor_conv_3x3": ("conv 3×3", OperationFamily.CONVOLUTION),
    "avg_pool_3x3": ("avg pool 3×3", OperationFamily.POOLING),
}

# The numbers of the nodes are those of the notation.
_NODES = (
    CellNode("0", "input", NodeKind.INPUT),
    CellNode("1", "1", NodeKind.SUM),
    CellNode("2", "2", NodeKind.SUM),
    CellNode("3", "output", NodeKind.OUTPUT),
)


def cell_graph(text: str) -> CellGraph:
    """Return the graph of a cell with all its six edges, also those where ``none`` lets nothing pass.

    Raises:
        InvalidArchitectureError: ``text`` is no NAS-Bench-201 cell.
    """
    edges = (
        CellEdge(str(source), str(target), *_LABELS[op])
        for (target, source), op in zip(EDGES, parse_cell(text), strict=True)
    )
    return CellGraph("cell", _NODES, tuple(edges))
