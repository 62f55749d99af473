"""Recipes of NAS-Bench-NLP cells: what the nodes of a recurrent cell compute (Klyuchnikov et al., 2020).

A recipe is a JSON object that maps the name of a node to its operation and inputs. Inputs are ``x``, the cell's input;
``h_prev_0``, ``h_prev_1``, .., its states one step before; and other nodes. Nodes named ``h_new_0``, ``h_new_1``, ..
are its new states, and ``h_new_0`` is its output.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from ....core.errors import InvalidArchitectureError, closest_matches

INPUT = "x"

NUM_INPUTS: Mapping[str, int | None] = {
    "linear": None,
    "elementwise_sum": 2,
    "elementwise_prod": 2,
    "blend": 3,
    "activation_tanh": 1,
    "activation_sigm": 1,
    "activation_leaky_relu": 1,
}
"""Inputs of each operation; a ``linear`` node has one matrix for each of any number of them."""

COMMUTATIVE = frozenset({"linear", "elementwise_sum", "elementwise_prod"})
"""Operations whose inputs have no order. ``blend`` of a, b and c is a * b + (1 - a) * c."""

MAX_NODES = 64
"""Our limit, well above the 25 nodes of the largest published recipes."""

MAX_CHARACTERS = 100_000

_STATE = re.compile(r"h_(new|prev)_(0|[1-9][0-9]{0,2})")


@dataclass(frozen=True)
class Node:
    """One node: its operation and the names of its inputs."""

    operation: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """A valid recipe.

    Attributes:
        nodes: By name, each after its inputs.
        num_states: Number of states that are handed from one step to the next.
    """

    nodes: Mapping[str, Node]
    num_states: int


def new_state(index: int) -> str:
    """Return the name of the node that is a new state."""
    return f"h_new_{index}"


def previous_state(index: int) -> str:
    """Return the name of a state as an input."""
    return f"h_prev_{index}"


def parse_recipe(text: str) -> Recipe:
    """Read a recipe and check that a cell can be built from it.

    Raises:
        InvalidArchitectureError: It is not JSON, or an operation, an input or a state is wrong; the message names the
        node.
    """
    nodes = {name: _read_node(name, value) for name, value in _read_object(text).items()}
    num_states = _count_states(nodes)
    sources = {INPUT, *(previous_state(index) for index in range(num_states))}
    for name, node in nodes.items():
        _check_inputs(name, node, nodes, sources)
    _refuse_dead_nodes(nodes, num_states)
    return Recipe(_in_order(nodes, sources), num_states)


def _read_object(text: str) -> Mapping[str, object]:
    if len(text) > MAX_CHARACTERS:
        raise InvalidArchitectureError(f"A NAS-Bench-NLP recipe has at most {MAX_CHARACTERS:,} characters.")
    try:
        recipe = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise InvalidArchitectureError(f"NAS-Bench-NLP recipe '{text[:60]}' is not JSON: {error}.") from error
    if not isinstance(recipe, dict) or not recipe:
        raise InvalidArchitectureError(f"NAS-Bench-NLP recipe '{text[:60]}' is not a JSON object of nodes.")
    if len(recipe) > MAX_NODES:
        raise InvalidArchitectureError(f"A NAS-Bench-NLP recipe has at most {MAX_NODES} nodes, got {len(recipe)}.")
    return recipe


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name is given twice")
    return fields


def _read_node(name: str, value: object) -> Node:
    if not isinstance(value, dict) or set(value) != {"op", "input"}:
        raise _wrong(name, f"it is {_shown(value)}, expected an object with 'op' and 'input'")
    if name == INPUT or name.startswith("h_prev"):
        raise _wrong(name, "this is the name of an input of the cell")
    operation, inputs = value["op"], value["input"]
    if not isinstance(operation, str) or operation not in NUM_INPUTS:
        near = closest_matches(operation, NUM_INPUTS) if isinstance(operation, str) else ""
        raise _wrong(name, f"its operation is {_shown(operation)}. {near}There are {', '.join(NUM_INPUTS)}")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(item, str) for item in inputs):
        raise _wrong(name, f"its inputs are {_shown(inputs)}, expected a list of names")
    wanted = NUM_INPUTS[operation]
    if wanted is not None and len(inputs) != wanted:
        raise _wrong(name, f"'{operation}' has {wanted} inputs, got {len(inputs)}")
    if len(inputs) > MAX_NODES:
        raise _wrong(name, f"it has {len(inputs)} inputs, at most {MAX_NODES} are allowed")
    return Node(operation, tuple(inputs))


def _count_states(nodes: Mapping[str, Node]) -> int:
    states = {int(match[2]) for match in map(_STATE.fullmatch, nodes) if match}
    if states != set(range(len(states))) or not states:
        missing = next(index for index in range(len(states) + 1) if index not in states)
        raise InvalidArchitectureError(f"NAS-Bench-NLP recipe: there is no node '{new_state(missing)}'.")
    return len(states)


def _check_inputs(name: str, node: Node, nodes: Mapping[str, Node], sources: set[str]) -> None:
    for source in node.inputs:
        if source not in nodes and source not in sources:
            known = ", ".join(sorted(sources))
            raise _wrong(name, f"its input '{source[:40]}' is neither a node nor one of {known}")
        if source == INPUT and node.operation != "linear":
            raise _wrong(name, "only a 'linear' node takes 'x', whose size is not that of the states")


def _refuse_dead_nodes(nodes: Mapping[str, Node], num_states: int) -> None:
    alive: set[str] = set()
    waiting = [new_state(index) for index in range(num_states)]
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in alive:
            alive.add(name)
            waiting.extend(nodes[name].inputs)
    for name in nodes:
        if name not in alive:
            raise _wrong(name, "it leads to no new state. Leave it out")


def _in_order(nodes: Mapping[str, Node], sources: set[str]) -> dict[str, Node]:
    """Return the nodes so that each comes after its inputs."""
    ordered: dict[str, Node] = {}
    while len(ordered) < len(nodes):
        ready = [
            name
            for name, node in nodes.items()
            if name not in ordered and all(source in ordered or source in sources for source in node.inputs)
        ]
        if not ready:
            circle = next(name for name in nodes if name not in ordered)
            raise _wrong(circle, "it depends on itself")
        ordered.update((name, nodes[name]) for name in ready)
    return ordered


def _wrong(name: str, problem: str) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"NAS-Bench-NLP recipe, node '{name[:40]}': {problem}.")


def _shown(value: object) -> str:
    return json.dumps(value)[:60]
