"""What a NAS-Bench-NLP cell looks like: operations are nodes. Importing this module does not import torch."""

from __future__ import annotations

from ....core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from .recipe import INPUT, Node, new_state, parse_recipe, previous_state

LABELS = {
    "linear": ("linear", OperationFamily.CONVOLUTION),
    "elementwise_sum": ("sum", OperationFamily.OTHER),
    "elementwise_prod": ("product", OperationFamily.OTHER),
    "blend": ("blend", OperationFamily.OTHER),
    "activation_tanh": ("tanh", OperationFamily.POOLING),
    "activation_sigm": ("sigmoid", OperationFamily.POOLING),
    "activation_leaky_relu": ("leaky ReLU", OperationFamily.POOLING),
}
"""Short name and family of each operation."""

# Inputs a, b and c of a blend, a * b + (1 - a) * c.
_BLEND_INPUTS = ("a", "b", "c")


def cell_graph(text: str) -> CellGraph:
    """Return the graph of one step of a cell, from input and states before to new states.

    Raises:
        InvalidArchitectureError: ``text`` is no NAS-Bench-NLP recipe.
    """
    recipe = parse_recipe(text)
    states = range(recipe.num_states)
    inputs = [CellNode(INPUT, INPUT, NodeKind.INPUT)]
    inputs += [CellNode(previous_state(index), f"{_state(index)} before", NodeKind.INPUT) for index in states]
    operations = [_operation(name, node) for name, node in recipe.nodes.items()]
    outputs = [CellNode(f"out {index}", _state(index), NodeKind.OUTPUT) for index in states]
    edges = [
        CellEdge(source, name, _BLEND_INPUTS[place] if node.operation == "blend" else "")
        for name, node in recipe.nodes.items()
        for place, source in enumerate(node.inputs)
    ]
    edges += [CellEdge(new_state(index), f"out {index}") for index in states]
    return CellGraph("recurrent cell", (*inputs, *operations, *outputs), tuple(edges))


def _state(index: int) -> str:
    return "output" if index == 0 else f"state {index}"


def _operation(name: str, node: Node) -> CellNode:
    label, family = LABELS[node.operation]
    return CellNode(name, label, NodeKind.OPERATION, family)
