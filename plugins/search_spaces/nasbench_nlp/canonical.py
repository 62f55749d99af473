"""One spelling for all recipes of the same cell: names and order of nodes do not matter.

Two recipes are the same cell if renaming inner nodes and states (but the output ``h_new_0``), and changing the order of
inputs where it has no meaning, makes one of the other. Vertices are told apart by refining colours (operation, then
colours of inputs and users, until nothing changes); where that leaves some alike, each of them in turn is singled out,
and the smallest spelling counts. Two ways that spell the same show a symmetry of the cell, and what a symmetry maps to
something else needs no look of its own (McKay, Practical Graph Isomorphism, Congressus Numerantium 30, 1981).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from ....core.errors import InvalidArchitectureError
from .recipe import COMMUTATIVE, INPUT, Recipe, new_state, parse_recipe, previous_state

MAX_SPELLINGS = 200
"""Symmetric recipes take less than one a node, published ones at most a few."""

Colours = Mapping[str, int]


class TooManySpellingsError(InvalidArchitectureError):
    """The parts of a recipe look alike and are not symmetric: too much to compare."""


def canonical_recipe(text: str) -> str:
    """Return the canonical spelling of a recipe, as JSON without spaces.

    States are numbered and the other nodes called ``node_`` and their position; each node comes behind its inputs.

    Raises:
        InvalidArchitectureError: ``text`` is no recipe.
        TooManySpellingsError: It is one whose parts cannot be told apart.
    """
    cell = _Cell(parse_recipe(text))
    spellings = _Spellings(cell)
    spellings.compare(cell.refine(cell.first_colours()), ())
    return spellings.smallest


@dataclass(frozen=True)
class _Way:
    """A way to tell all vertices apart: those singled out, and all in the order in which they are spelled."""

    singled: tuple[str, ...]
    order: Sequence[str]


class _Spellings:
    """Compares the spellings of a cell."""

    def __init__(self, cell: _Cell) -> None:
        self._cell = cell
        self._ways: dict[str, _Way] = {}
        self._symmetries: list[Mapping[str, str]] = []

    @property
    def smallest(self) -> str:
        """The smallest of those that were compared."""
        return min(self._ways)

    def compare(self, colours: Colours, singled: tuple[str, ...]) -> int:
        """Spell the cell in each way to single out vertices that are alike, but for those that a symmetry spares.

        Args:
            colours: Refined.
            singled: The vertices that were singled out, in this order.

        Returns:
            How many of these are the same in a way that spells the same: the others need no further look.

        Raises:
            TooManySpellingsError: There are too many.
        """
        counts = Counter(colours.values())
        shared = min((colour for colour, count in counts.items() if count > 1), default=None)
        if shared is None:
            return self._add(*self._cell.spell(colours), singled)
        looked_at: list[str] = []
        for name in self._cell.without_twins([name for name, colour in colours.items() if colour == shared]):
            if name in self._images(looked_at, singled):
                continue
            looked_at.append(name)
            # Ranks are doubled so that the one singled out fits below its equals.
            single = {other: 2 * colour - (other == name) for other, colour in colours.items()}
            same = self.compare(self._cell.refine(_ranks(single)), (*singled, name))
            if same < len(singled):
                return same
        return len(singled)

    def _add(self, spelling: str, order: Sequence[str], singled: tuple[str, ...]) -> int:
        earlier = self._ways.setdefault(spelling, _Way(singled, order))
        if earlier.order is order:
            if len(self._ways) > MAX_SPELLINGS:
                raise TooManySpellingsError(
                    f"This NAS-Bench-NLP recipe has so many parts that look alike that more than {MAX_SPELLINGS:,} "
                    "spellings would have to be compared; published ones have a few. Leave some of these parts out."
                )
            return len(singled)
        symmetry = dict(zip(earlier.order, order, strict=True))
        self._symmetries.append(symmetry)
        same = 0
        while earlier.singled[same] == singled[same] == symmetry[singled[same]]:
            same += 1
        return same if symmetry[earlier.singled[same]] == singled[same] else len(singled)

    def _images(self, names: Sequence[str], singled: tuple[str, ...]) -> set[str]:
        """Return all that these vertices are mapped to by symmetries that leave those singled out where they are."""
        symmetries = [each for each in self._symmetries if all(each[name] == name for name in singled)]
        images, waiting = set(names), list(names)
        while waiting:
            name = waiting.pop()
            new = {symmetry[name] for symmetry in symmetries} - images
            images |= new
            waiting.extend(new)
        return images


class _Cell:
    """A recipe as a graph: input, nodes and states, where a state's value before comes from its new one."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.kinds: dict[str, str] = {INPUT: INPUT}
        self.inputs: dict[str, Sequence[str]] = {INPUT: ()}
        for index in range(recipe.num_states):
            self.kinds[previous_state(index)] = "state"
            self.inputs[previous_state(index)] = (new_state(index),)
        for name, node in recipe.nodes.items():
            self.kinds[name] = node.operation
            self.inputs[name] = node.inputs
        self.users: dict[str, list[tuple[str, int]]] = {name: [] for name in self.inputs}
        for name, inputs in self.inputs.items():
            for place, source in enumerate(inputs):
                self.users[source].append((name, 0 if self.kinds[name] in COMMUTATIVE else place))

    def first_colours(self) -> Colours:
        """Return colours of operations, the output apart."""
        return _ranks({name: (kind, name == new_state(0)) for name, kind in self.kinds.items()})

    def refine(self, colours: Colours) -> Colours:
        """Split colours by those of inputs and users until nothing changes."""
        while True:
            refined = _ranks(
                {
                    name: (
                        colour,
                        self._ordered(name, [colours[source] for source in self.inputs[name]]),
                        tuple(sorted((colours[user], place) for user, place in self.users[name])),
                    )
                    for name, colour in colours.items()
                }
            )
            if len(set(refined.values())) == len(set(colours.values())):
                return refined
            colours = refined

    def spell(self, colours: Colours) -> tuple[str, list[str]]:
        """Return the recipe with nodes in the order of their colours, as far as each comes after its inputs.

        Returns:
            The recipe, and all vertices in its order.
        """
        names = {INPUT: INPUT, previous_state(0): previous_state(0)}
        own = {new_state(0): new_state(0)}
        others = sorted(range(1, self.recipe.num_states), key=lambda index: colours[new_state(index)])
        for number, index in enumerate(others, start=1):
            names[previous_state(index)] = previous_state(number)
            own[new_state(index)] = new_state(number)
        spelled: dict[str, dict[str, object]] = {}
        waiting = sorted(self.recipe.nodes, key=colours.__getitem__)
        while waiting:
            name = next(name for name in waiting if all(source in names for source in self.inputs[name]))
            waiting.remove(name)
            names[name] = own.get(name, f"node_{len(spelled)}")
            inputs = self.inputs[name]
            if self.kinds[name] in COMMUTATIVE:
                inputs = sorted(inputs, key=colours.__getitem__)
            spelled[names[name]] = {"op": self.kinds[name], "input": [names[source] for source in inputs]}
        return json.dumps(spelled, separators=(",", ":")), list(names)

    def without_twins(self, names: Sequence[str]) -> list[str]:
        """Return one of all vertices with the same inputs and users: exchanging them changes nothing."""
        kinds: dict[Hashable, str] = {}
        for name in names:
            kinds.setdefault((self._ordered(name, self.inputs[name]), tuple(sorted(self.users[name]))), name)
        return list(kinds.values())

    def _ordered(self, name: str, items: Sequence[Hashable]) -> tuple[Hashable, ...]:
        return tuple(sorted(items)) if self.kinds[name] in COMMUTATIVE else tuple(items)  # type: ignore[type-var]


def _ranks(keys: Mapping[str, Hashable]) -> Colours:
    """Return the rank of each key among the distinct ones."""
    order = {key: rank for rank, key in enumerate(sorted(set(keys.values())))}  # type: ignore[type-var]
    return {name: order[key] for name, key in keys.items()}
