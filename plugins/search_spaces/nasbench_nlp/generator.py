"""Draws random cells the way NAS-Bench-NLP's authors did (Klyuchnikov et al., 2020, section 3; released code).

A cell of one, two or three states is begun with as many nodes as it has states and 7, 14 or 21 more. Three operations
of six are linear maps, of two inputs (four times in five) or three, each with a random activation behind it, which is a
node too and may be the last, one more; the others are blends, products and sums. All inputs of a node differ. Linear
maps see ``x``, the states before and activations; the others see all but ``x``. Any nodes may become the new states,
and what leads to none of them is removed. A cell counts only if it uses ``x`` and all its states and if no new state
has a state before among its inputs; if it does not, another one is drawn, of another size.

In the authors' example as many cells of each of these nine sizes are drawn, and so are here. It keeps at most half of
those of a size, which leaves out some cells of one state, of which six or seven in ten count; here all are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .recipe import ACTIVATIONS, INPUT, NUM_INPUTS, Node, new_state, previous_state, rename_nodes, spell_nodes

if TYPE_CHECKING:
    import numpy as np

NUM_STATES = (1, 2, 3)
NUM_FURTHER_NODES = (7, 14, 21)

MAX_DRAWN_NODES = max(NUM_STATES) + max(NUM_FURTHER_NODES) + 1
"""No drawn cell has more."""

LINEAR_INPUTS = (2, 3)

# Weights 3, 1, 1, 1 of operations, and 4, 1 of two and three inputs.
_OPERATIONS = ("linear", "linear", "linear", "blend", "elementwise_prod", "elementwise_sum")
_LINEAR_INPUTS = (2, 2, 2, 2, 3)


def draw_recipe(rng: np.random.Generator) -> str:
    """Return a random recipe, not in canonical spelling."""
    while True:
        num_states = NUM_STATES[rng.integers(len(NUM_STATES))]
        num_further_nodes = NUM_FURTHER_NODES[rng.integers(len(NUM_FURTHER_NODES))]
        drawn = draw_cell(num_states, num_states + num_further_nodes, rng)
        if drawn is not None:
            return drawn


def draw_cell(num_states: int, num_nodes: int, rng: np.random.Generator) -> str | None:
    """Return a random recipe that was begun with ``num_nodes`` nodes, None if it does not count."""
    nodes = _draw_nodes(num_states, num_nodes, rng)
    names = list(nodes)
    chosen = rng.permutation(len(names))[:num_states]
    states = {names[index]: new_state(number) for number, index in enumerate(chosen)}
    alive = _leading_to(states, nodes)
    return spell_nodes(rename_nodes(alive, states)) if _counts(alive, states, num_states) else None


def _draw_nodes(num_states: int, num_nodes: int, rng: np.random.Generator) -> dict[str, Node]:
    before = [previous_state(index) for index in range(num_states)]
    activations: list[str] = []
    nodes: dict[str, Node] = {}
    while len(nodes) < num_nodes:
        operation = _OPERATIONS[rng.integers(len(_OPERATIONS))]
        if operation == "linear":
            seen = [INPUT, *before, *activations]
            count = min(_LINEAR_INPUTS[rng.integers(len(_LINEAR_INPUTS))], len(seen))
        else:
            seen, count = [*before, *nodes], NUM_INPUTS[operation] or 0
        if count > len(seen):
            continue
        name = f"node_{len(nodes)}"
        nodes[name] = Node(operation, tuple(seen[index] for index in rng.choice(len(seen), count, replace=False)))
        if operation == "linear":
            activations.append(f"node_{len(nodes)}")
            nodes[activations[-1]] = Node(ACTIVATIONS[rng.integers(len(ACTIVATIONS))], (name,))
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
