"""Single edits of a recurrent cell: what makes one cell of another.

Every edit can be undone by another one, and none leaves a value unused. There are seven kinds:

- ``operation``: an activation is another one, a sum is a product or a product a sum;
- ``input``: an input of a node is another value, or two inputs of a blend are exchanged;
- ``matrix``: a linear map of two inputs gets a third one, or loses one of three;
- ``gate``: a sum or product becomes the blend of its inputs under a gate, or a blend the sum or product of what it
  blends;
- ``insertion``: where a value enters a node or is a new state, its sum or product with another value takes its place,
  or a linear map of both with an activation;
- ``removal``: the inverse;
- ``state``: a new state is another node, or two new states are exchanged.

What an edit brings in keeps the rules of the benchmark's generator (:mod:`.generator`): the inputs of a node differ,
linear maps take ``x``, states before and activations, the other nodes no ``x``, activations work on linear maps, new
states take no state before, and cells are no larger than the largest that are drawn. The number of states stays.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .generator import LINEAR_INPUTS, MAX_DRAWN_NODES
from .recipe import ACTIVATIONS, INPUT, Node, Recipe, new_state, previous_state, rename_nodes

Nodes = dict[str, Node]

_PAIRWISE = ("elementwise_sum", "elementwise_prod")
_BLEND = "blend"
_LINEAR = "linear"
_FEWEST_INPUTS, _MOST_INPUTS = LINEAR_INPUTS

# Names of new nodes: no recipe has any other with a space.
_NEW_NODE, _NEW_LINEAR = "new node", "new linear"


@dataclass(frozen=True)
class Place:
    """Where a value is used: by a node, as one of its inputs, or as a new state, if ``position`` is None.

    Attributes:
        value: What is used.
        user: The node that uses it; a state's node itself.
        position: Of the input.
    """

    value: str
    user: str
    position: int | None


class CellEdits:
    """All edits of one cell, by kind; each is the nodes of the cell that it makes."""

    def __init__(self, recipe: Recipe) -> None:
        self.nodes: Mapping[str, Node] = recipe.nodes
        self._before = tuple(previous_state(index) for index in range(recipe.num_states))
        self._states = tuple(new_state(index) for index in range(recipe.num_states))
        self._uses = Counter(source for node in self.nodes.values() for source in node.inputs)
        self._behind = _descendants(self.nodes)

    def kinds(self) -> tuple[Callable[[], Iterator[Nodes]], ...]:
        """Return a function for each kind of edit, which yields the edits of this kind."""
        return (
            self.operations,
            self.inputs,
            self.matrices,
            self.gates,
            self.insertions,
            self.removals,
            self.states,
        )

    def operations(self) -> Iterator[Nodes]:
        """Change the operation of one node."""
        for name, node in self.nodes.items():
            family = next((each for each in (ACTIVATIONS, _PAIRWISE) if node.operation in each), ())
            for other in family:
                if other != node.operation:
                    yield self._with(name, Node(other, node.inputs))

    def inputs(self) -> Iterator[Nodes]:
        """Change one input of one node, or exchange two of a blend."""
        for name, node in self.nodes.items():
            for position, old in enumerate(node.inputs):
                if self._is_spare(old):
                    for new in self._admissible(name, node.operation, node.inputs):
                        yield self._with(name, _replaced(node, position, new))
            if node.operation == _BLEND:
                for first, second in itertools.combinations(range(3), 2):
                    inputs = list(node.inputs)
                    inputs[first], inputs[second] = inputs[second], inputs[first]
                    yield self._with(name, Node(_BLEND, tuple(inputs)))

    def matrices(self) -> Iterator[Nodes]:
        """Add an input to a linear map, or take one away."""
        for name, node in self.nodes.items():
            if node.operation != _LINEAR:
                continue
            if len(node.inputs) < _MOST_INPUTS:
                for new in self._admissible(name, _LINEAR, node.inputs):
                    yield self._with(name, Node(_LINEAR, (*node.inputs, new)))
            if len(node.inputs) > _FEWEST_INPUTS:
                for position, old in enumerate(node.inputs):
                    if self._is_spare(old):
                        yield self._with(name, Node(_LINEAR, _without(node.inputs, position)))

    def gates(self) -> Iterator[Nodes]:
        """Put a sum or product under a gate, or take a blend's gate away."""
        for name, node in self.nodes.items():
            if node.operation in _PAIRWISE:
                for gate in self._admissible(name, _BLEND, node.inputs):
                    for blended in (node.inputs, node.inputs[::-1]):
                        yield self._with(name, Node(_BLEND, (gate, *blended)))
            if node.operation == _BLEND and self._is_spare(node.inputs[0]):
                for operation in _PAIRWISE:
                    yield self._with(name, Node(operation, node.inputs[1:]))

    def insertions(self) -> Iterator[Nodes]:
        """Put a sum, a product, or a linear map with an activation where a value is used."""
        for place in self._places():
            if len(self.nodes) + 1 <= MAX_DRAWN_NODES:
                yield from self._pairwise_insertions(place)
            if len(self.nodes) + 2 <= MAX_DRAWN_NODES:
                yield from self._linear_insertions(place)

    def removals(self) -> Iterator[Nodes]:
        """Use one of its two inputs in place of a sum, a product, or a linear map with an activation."""
        for place in self._places():
            node = self.nodes.get(place.value)
            if node is None or not self._is_used_here_only(place):
                continue
            if node.operation in _PAIRWISE:
                yield from self._bypasses(place, node, (place.value,))
            elif node.operation in ACTIVATIONS and self._uses[node.inputs[0]] == 1:
                linear = self.nodes.get(node.inputs[0])
                if linear is not None and linear.operation == _LINEAR and node.inputs[0] not in self._states:
                    yield from self._bypasses(place, linear, (place.value, node.inputs[0]))

    def states(self) -> Iterator[Nodes]:
        """Make another node a new state, or exchange two new states."""
        for state in self._states:
            for name, node in self.nodes.items():
                if name not in self._states and self._uses[state] and not set(node.inputs) & set(self._before):
                    yield rename_nodes(self.nodes, {state: name, name: state})
        for first, second in itertools.combinations(self._states, 2):
            yield rename_nodes(self.nodes, {first: second, second: first})

    def _pairwise_insertions(self, place: Place) -> Iterator[Nodes]:
        if not self._takes_pairwise(place) or place.value == INPUT:
            return
        for other in self._values_for(place, [*self._before, *self.nodes]):
            if place.position is None and other in self._before:
                continue
            for operation in _PAIRWISE:
                yield self._inserted(place, {_NEW_NODE: Node(operation, (place.value, other))})

    def _linear_insertions(self, place: Place) -> Iterator[Nodes]:
        seen = self._seen_by_linear()
        if not self._takes_activation(place) or place.value not in seen:
            return
        for other in self._values_for(place, seen):
            for operation in ACTIVATIONS:
                linear = Node(_LINEAR, (place.value, other))
                yield self._inserted(place, {_NEW_LINEAR: linear, _NEW_NODE: Node(operation, (_NEW_LINEAR,))})

    def _values_for(self, place: Place, values: list[str]) -> list[str]:
        """Return the values that a new node at a place can take beside the one that is there."""
        late = set() if place.position is None else self._behind[place.user]
        return [value for value in values if value != place.value and value not in late]

    def _inserted(self, place: Place, new: Nodes) -> Nodes:
        """Return the nodes with new ones, the last of which takes the place."""
        if place.position is None:
            return rename_nodes({**self.nodes, **new}, {place.user: _NEW_NODE, _NEW_NODE: place.user})
        return self._with(place.user, _replaced(self.nodes[place.user], place.position, _NEW_NODE)) | new

    def _bypasses(self, place: Place, node: Node, removed: tuple[str, ...]) -> Iterator[Nodes]:
        """Take ``removed`` away, whose inputs are those of ``node``, and put one of these in their place."""
        if len(node.inputs) != 2:
            return
        for kept, other in (node.inputs, node.inputs[::-1]):
            if not self._is_spare(other) or not self._fits(place, kept):
                continue
            left = {name: each for name, each in self.nodes.items() if name not in removed}
            if place.position is None:
                yield rename_nodes(left, {kept: place.user})
            else:
                yield left | {place.user: _replaced(self.nodes[place.user], place.position, kept)}

    def _fits(self, place: Place, value: str) -> bool:
        """Say whether a value may be used at a place in which a node of the cell is."""
        if place.position is None:
            node = self.nodes.get(value)
            return node is not None and value not in self._states and not set(node.inputs) & set(self._before)
        user = self.nodes[place.user]
        return value in self._admissible(place.user, user.operation, user.inputs)

    def _places(self) -> Iterator[Place]:
        for name, node in self.nodes.items():
            for position, value in enumerate(node.inputs):
                yield Place(value, name, position)
        for state in self._states:
            yield Place(state, state, None)

    def _is_spare(self, value: str) -> bool:
        """Say whether a node may stop using a value, which is used by another one or is a new state."""
        return self._uses[value] > 1 or value in self._states

    def _is_used_here_only(self, place: Place) -> bool:
        if place.position is None:
            return self._uses[place.value] == 0
        return self._uses[place.value] == 1 and place.value not in self._states

    def _takes_pairwise(self, place: Place) -> bool:
        return place.position is None or self.nodes[place.user].operation in (*_PAIRWISE, _BLEND)

    def _takes_activation(self, place: Place) -> bool:
        return place.position is None or self.nodes[place.user].operation not in ACTIVATIONS

    def _admissible(self, name: str, operation: str, inputs: tuple[str, ...]) -> list[str]:
        """Return what may become an input of a node beside its inputs."""
        if operation == _LINEAR:
            values = self._seen_by_linear()
        elif operation in ACTIVATIONS:
            values = [each for each, node in self.nodes.items() if node.operation == _LINEAR]
        else:
            values = [*self._before, *self.nodes]
        refused = {*inputs, *self._behind[name], *(self._before if name in self._states else ())}
        return [value for value in values if value not in refused]

    def _seen_by_linear(self) -> list[str]:
        return [INPUT, *self._before, *(name for name, node in self.nodes.items() if node.operation in ACTIVATIONS)]

    def _with(self, name: str, node: Node) -> Nodes:
        return {**self.nodes, name: node}


def _replaced(node: Node, position: int, value: str) -> Node:
    return Node(node.operation, (*node.inputs[:position], value, *node.inputs[position + 1 :]))


def _without(inputs: tuple[str, ...], position: int) -> tuple[str, ...]:
    return (*inputs[:position], *inputs[position + 1 :])


def _descendants(nodes: Mapping[str, Node]) -> dict[str, set[str]]:
    """Return for each node itself and all nodes that depend on it at the same step; inputs come before users."""
    ancestors: dict[str, set[str]] = {}
    for name, node in nodes.items():
        ancestors[name] = {name}.union(*(ancestors.get(source, set()) for source in node.inputs))
    return {name: {other for other in nodes if name in ancestors[other]} for name in nodes}
