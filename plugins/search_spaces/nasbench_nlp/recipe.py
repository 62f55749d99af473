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

ACTIVATIONS = tuple(operation for operation in NUM_INPUTS if operation.startswith("activation_"))

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


def rename_nodes(nodes: Mapping[str, Node], names: Mapping[str, str]) -> dict[str, Node]:
    """Return the nodes with other names, wherever they occur; those that ``names`` lacks keep theirs."""
    return {
        names.get(name, name): Node(node.operation, tuple(names.get(source, source) for source in node.inputs))
        for name, node in nodes.items()
    }


def spell_nodes(nodes: Mapping[str, Node]) -> str:
    """Return nodes, states among them, as a recipe in JSON without spaces."""
    recipe = {name: {"op": node.operation, "input": list(node.inputs)} for name, node in nodes.items()}
    return json.dumps(recipe, separators=(",", ":"))


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
    ordered = _in_order(nodes, sources)
    _refuse_dead_nodes(nodes, num_states)
    _refuse_unused_inputs(nodes, num_states)
    return Recipe(ordered, num_states)


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
        number = "one input" if wanted == 1 else f"{wanted} inputs"
        raise _wrong(name, f"'{operation}' takes {number}, got {len(inputs)}: {_shown(inputs)}. Give it {number}")
    if len(inputs) > MAX_NODES:
        raise _wrong(name, f"it has {len(inputs)} inputs, at most {MAX_NODES} are allowed")
    return Node(operation, tuple(inputs))


def _count_states(nodes: Mapping[str, Node]) -> int:
    states = {int(match[2]) for match in map(_STATE.fullmatch, nodes) if match}
    if states != set(range(len(states))) or not states:
        missing = next(index for index in range(len(states) + 1) if index not in states)
        what = "the cell's output" if missing == 0 else "since there are states of higher numbers"
        raise InvalidArchitectureError(
            f"NAS-Bench-NLP recipe: there is no node '{new_state(missing)}', {what}. Give a node this name."
        )
    return len(states)


def _check_inputs(name: str, node: Node, nodes: Mapping[str, Node], sources: set[str]) -> None:
    for source in node.inputs:
        if source not in nodes and source not in sources:
            raise _wrong(name, _undefined(source, nodes, sources))
        if source == INPUT and node.operation != "linear":
            raise _wrong(
                name,
                f"'{node.operation}' cannot take 'x', whose size is not that of the states. Take a 'linear' node that "
                "takes 'x'",
            )


def _undefined(source: str, nodes: Mapping[str, Node], sources: set[str]) -> str:
    problem = f"its input '{source[:40]}' is neither a node nor one of {', '.join(sorted(sources))}"
    if _STATE.fullmatch(source) and source.startswith("h_prev"):
        return f"{problem}. Add the node '{source.replace('prev', 'new')}', whose value at the step before it is"
    near = closest_matches(source, [*nodes, *sources])
    return f"{problem}. {near}Name one of them, or add the node"


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
            raise _wrong(name, "it leads to no new state. Leave it out, or take it as an input of one that does")


def _refuse_unused_inputs(nodes: Mapping[str, Node], num_states: int) -> None:
    used = {source for node in nodes.values() for source in node.inputs}
    if INPUT not in used:
        raise InvalidArchitectureError(
            "NAS-Bench-NLP recipe: no node takes 'x', so the cell does not see its input. Make it an input of a "
            "'linear' node."
        )
    for index in range(num_states):
        if previous_state(index) not in used:
            remedy = "" if index == 0 else f", or leave '{new_state(index)}' out"
            raise _wrong(
                new_state(index),
                f"nothing takes this state at the next step. Take '{previous_state(index)}' as an input of a "
                f"node{remedy}",
            )


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
            raise _circular({name: node for name, node in nodes.items() if name not in ordered})
        ordered.update((name, nodes[name]) for name in ready)
    return ordered


def _circular(nodes: Mapping[str, Node]) -> InvalidArchitectureError:
    """Return the error for nodes each of which takes another one of them: among these there is a circle."""
    path = [next(iter(nodes))]
    while path[-1] not in path[:-1]:
        path.append(next(source for source in nodes[path[-1]].inputs if source in nodes))
    circle = path[path.index(path[-1]) :]
    shown = " takes ".join(f"'{name[:40]}'" for name in circle)
    return _wrong(
        circle[0],
        f"it depends on itself: {shown}. Take another input in one of them, such as a state at the step before "
        "('h_prev_0')",
    )


def _wrong(name: str, problem: str) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"NAS-Bench-NLP recipe, node '{name[:40]}': {problem}.")


def _shown(value: object) -> str:
    return json.dumps(value)[:60]
