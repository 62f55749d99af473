"""A cell as a picture shows it: what a search space says of its architectures, whatever they are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from ..errors import PluginError


class NodeKind(StrEnum):
    """What a node does; it decides the node's shape."""

    INPUT = "input"
    OPERATION = "operation"
    SUM = "sum"
    CONCAT = "concat"
    OUTPUT = "output"


class OperationFamily(StrEnum):
    """What an operation is akin to; it decides the colour. ``ZERO`` is no operation at all: nothing passes."""

    CONVOLUTION = "convolution"
    POOLING = "pooling"
    IDENTITY = "identity"
    ZERO = "zero"
    OTHER = "other"


@dataclass(frozen=True)
class CellNode:
    """One node.

    Attributes:
        name: Unique in its cell; not shown.
        label: What is shown.
        kind: What it does.
        family: Of its operation; read only where ``kind`` is an operation.
    """

    name: str
    label: str
    kind: NodeKind
    family: OperationFamily = OperationFamily.OTHER


@dataclass(frozen=True)
class CellEdge:
    """One edge.

    Attributes:
        source: Name of the node that it comes from.
        target: Name of the node that it leads to.
        label: The operation on it, empty if there is none.
        family: Of this operation; read only where there is one.
    """

    source: str
    target: str
    label: str = ""
    family: OperationFamily = OperationFamily.OTHER


@dataclass(frozen=True)
class CellGraph:
    """A directed acyclic graph; two nodes may have several edges between them.

    Attributes:
        name: What the architecture calls this cell, such as ``normal cell``.
        nodes: In a topological order: every edge leads from an earlier node to a later one.
        edges: In any order.

    Raises:
        PluginError: Two nodes have one name, or an edge leads backwards or to a node that does not exist.
    """

    name: str
    nodes: tuple[CellNode, ...]
    edges: tuple[CellEdge, ...]

    def __post_init__(self) -> None:
        repeated = [name for name, times in Counter(node.name for node in self.nodes).items() if times > 1]
        if repeated:
            raise PluginError(f"The graph of the {self.name} has several nodes '{repeated[0]}': names must differ.")
        position = {node.name: number for number, node in enumerate(self.nodes)}
        for edge in self.edges:
            if not {edge.source, edge.target} <= position.keys():
                raise PluginError(
                    f"The graph of the {self.name} has an edge '{edge.source}' to '{edge.target}', but its nodes are "
                    f"{', '.join(position)}."
                )
            if position[edge.source] >= position[edge.target]:
                raise PluginError(
                    f"The graph of the {self.name} has an edge '{edge.source}' to '{edge.target}', which leads "
                    "backwards: list the nodes such that every edge leads from an earlier to a later one."
                )
