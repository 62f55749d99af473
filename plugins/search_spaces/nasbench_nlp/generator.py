"""Draws random cells the way NAS-Bench-NLP's authors did (Klyuchnikov et al., 2020, section 3; released code).

A cell has one, two or three states and begins with 7, 14 or 21 operations, as in the authors' example. Three of six are
linear maps, of two inputs (four times in five) or three, each with a random activation behind it; the others are
blends, products and sums. Inputs are drawn without repetition from all that is there already; only linear maps see
``x``. Any nodes may become the new states; what leads to none of them is removed. A cell counts only if it uses ``x``
and all its states and if no new state has a state before among its inputs.

What the description leaves open is uniform here: the number of states and of operations, activations, inputs, states.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .recipe import INPUT, NUM_INPUTS, Node, new_state, previous_state

if TYPE_CHECKING:
    import numpy as np

NUM_STATES = (1, 2, 3)
NUM_OPERATIONS = (7, 14, 21)
ACTIVATIONS = tuple(operation for operation in NUM_INPUTS if operation.startswith("activation_"))

# Weights 3, 1, 1, 1 of operations, and 4, 1 of two and three inputs.
_OPERATIONS = ("linear", "linear", "linear", "blend", "elementwise_prod", "elementwise_sum")
_LINEAR_INPUTS = (2, 2, 2, 2, 3)


def draw_recipe(rng: np.random.Generator) -> str:
    """Return a random recipe, not in canonical spelling."""
    while True:
        num_states = NUM_STATES[rng.integers(len(NUM_STATES))]
        nodes = _draw_nodes(num_states, NUM_OPERATIONS[rng.integers(len(NUM_OPERATIONS))], rng)
        names = list(nodes)
        chosen = rng.permutation(len(names))[:num_states]
        states = {names[index]: new_state(number) for number, index in enumerate(chosen)}
        alive = _leading_to(states, nodes)
        if _counts(alive, states, num_states):
            return _to_json(alive, states)


def _draw_nodes(num_states: int, num_operations: int, rng: np.random.Generator) -> dict[str, Node]:
    values = [previous_state(index) for index in range(num_states)]
    nodes: dict[str, Node] = {}

    def add(operation: str, inputs: Sequence[str]) -> None:
        name = f"node_{len(nodes)}"
        nodes[name] = Node(operation, tuple(inputs))
        values.append(name)

    for _ in range(num_operations):
        operation = _OPERATIONS[rng.integers(len(_OPERATIONS))]
        seen = [INPUT, *values] if operation == "linear" else values
        count = NUM_INPUTS[operation] or _LINEAR_INPUTS[rng.integers(len(_LINEAR_INPUTS))]
        if count > len(seen):
            continue
        add(operation, [seen[index] for index in rng.choice(len(seen), count, replace=False)])
        if operation == "linear":
            add(ACTIVATIONS[rng.integers(len(ACTIVATIONS))], values[-1:])
    return nodes


def _leading_to(states: Mapping[str, str], nodes: dict[str, Node]) -> dict[str, Node]:
    needed = set(states)
    for name in reversed(nodes):
        if name in needed:
            needed.update(nodes[name].inputs)
    return {name: node for name, node in nodes.items() if name in needed}


def _counts(nodes: Mapping[str, Node], states: Mapping[str, str], num_states: int) -> bool:
    used = {source for node in nodes.values() for source in node.inputs}
    before = {previous_state(index) for index in range(num_states)}
    direct = any(before.intersection(nodes[name].inputs) for name in states)
    return INPUT in used and before <= used and not direct


def _to_json(nodes: Mapping[str, Node], states: Mapping[str, str]) -> str:
    recipe = {
        states.get(name, name): {
            "op": node.operation,
            "input": [states.get(source, source) for source in node.inputs],
        }
        for name, node in nodes.items()
    }
    return json.dumps(recipe)
