"""A recipe compiled once: what to compute at a step, on numbered slots instead of names."""

from __future__ import annotations

from dataclasses import dataclass

from .recipe import INPUT, Recipe, new_state, previous_state


@dataclass(frozen=True)
class Instruction:
    """One node.

    Attributes:
        node: Its name in the recipe.
        operation: Its operation.
        target: The slot of its value.
        sources: The slots of its inputs, without ``x``.
    """

    node: str
    operation: str
    target: int
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What to compute at a step, in this order.

    The first slots hold the states before, by their numbers, the others the values of nodes.

    Attributes:
        instructions: One for each node, each after those whose values it takes.
        new_states: The slots of the new states, by their numbers; the first is the output.
        num_slots: Number of slots.
    """

    instructions: tuple[Instruction, ...]
    new_states: tuple[int, ...]
    num_slots: int


def compile_recipe(recipe: Recipe) -> Plan:
    """Number the values of a recipe, and say what is computed of which."""
    states = range(recipe.num_states)
    names = [*map(previous_state, states), *recipe.nodes]
    slots = {name: slot for slot, name in enumerate(names)}
    return Plan(
        instructions=tuple(
            Instruction(
                node=name,
                operation=node.operation,
                target=slots[name],
                sources=tuple(slots[source] for source in node.inputs if source != INPUT),
            )
            for name, node in recipe.nodes.items()
        ),
        new_states=tuple(slots[new_state(index)] for index in states),
        num_slots=len(slots),
    )
