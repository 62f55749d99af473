"""What an AnyNet design looks like: the stages one after the other, and a block of each. This imports no torch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .....core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from .design import NUM_STAGES, Block, Stage

_CONVOLUTION, _OTHER = OperationFamily.CONVOLUTION, OperationFamily.OTHER


def network_graphs(block: Block, stages: Sequence[Stage]) -> tuple[CellGraph, ...]:
    """Return the graph of the network, and of a block of each stage, without batch normalisation and ReLU."""
    return (_network(stages), *(_block(block, number, stage) for number, stage in enumerate(stages, start=1)))


def _network(stages: Sequence[Stage]) -> CellGraph:
    layers = [
        CellNode("stem", "stem", NodeKind.OPERATION, _CONVOLUTION),
        *(
            CellNode(f"stage {number}", f"{stage.depth} × {stage.width}", NodeKind.OPERATION, _OTHER)
            for number, stage in enumerate(stages, start=1)
        ),
    ]
    nodes = (
        CellNode("images", "images", NodeKind.INPUT),
        *layers,
        CellNode("classifier", "classifier", NodeKind.OUTPUT),
    )
    edges = tuple(CellEdge(one.name, next_.name) for one, next_ in itertools.pairwise(nodes))
    return CellGraph("network: blocks × channels of each stage", nodes, edges)


def _block(block: Block, number: int, stage: Stage) -> CellGraph:
    labels = _labels(block, stage)
    convolutions = [CellNode(str(place), label, NodeKind.OPERATION, _CONVOLUTION) for place, label in enumerate(labels)]
    nodes = (
        CellNode("input", "input", NodeKind.INPUT),
        *convolutions,
        CellNode("sum", "+", NodeKind.SUM),
        CellNode("output", "output", NodeKind.OUTPUT),
    )
    edges = tuple(CellEdge(one.name, next_.name) for one, next_ in itertools.pairwise(nodes))
    name = f"block of stage {number} of {NUM_STAGES}"
    return CellGraph(name, nodes, (*edges, CellEdge("input", "sum")))


def _labels(block: Block, stage: Stage) -> tuple[str, ...]:
    if block == "basic":
        return (f"conv 3×3, {stage.width}",) * 2
    inner = stage.width // stage.ratio
    groups = f", {stage.groups} groups" if stage.groups > 1 else ""
    return (f"conv 1×1, {inner}", f"conv 3×3, {inner}{groups}", f"conv 1×1, {stage.width}")
