"""One spelling for all recipes of the same cell: names and order of nodes do not matter.

Two recipes are the same cell if renaming inner nodes and states (but the output ``h_new_0``), and changing the order of
inputs where it has no meaning, makes one of the other. Vertices are told apart by refining colours (operation, then
colours of inputs and users, until nothing changes); where that leaves some alike, each of them in turn is singled out,
and the smallest spelling counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence

from ....core.errors import InvalidArchitectureError
from .recipe import COMMUTATIVE, INPUT, Recipe, new_state, parse_recipe, previous_state

MAX_SPELLINGS = 2000
"""Published recipes take at most a few; beyond it, a recipe is one of many equal parts."""

Colours = Mapping[str, int]


def canonical_recipe(text: str) -> str:
    """Return the canonical spelling of a recipe, as JSON without spaces.

    States are numbered and the other nodes called ``node_`` and their position; each node comes behind its inputs.

    Raises:
        InvalidArchitectureError: ``text`` is no recipe, or one of too many equal parts.
    """
    cell = _Cell(parse_recipe(text))
    spellings: list[str] = []
    for colours in cell.distinct_colourings(cell.refine(cell.first_colours())):
        spellings.append(cell.spell(colours))
        if len(spellings) > MAX_SPELLINGS:
            raise InvalidArchitectureError(
                f"This NAS-Bench-NLP recipe has so many equal parts that more than {MAX_SPELLINGS:,} spellings would "
                "have to be compared; published ones have a few."
            )
    return min(spellings)


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

    def distinct_colourings(self, colours: Colours) -> Iterator[Colours]:
        """Yield colourings that tell all vertices apart, one for each way to single out those that are alike."""
        counts = Counter(colours.values())
        shared = min((colour for colour, count in counts.items() if count > 1), default=None)
        if shared is None:
            yield colours
            return
        for name in self._without_twins([name for name, colour in colours.items() if colour == shared]):
            # Ranks are doubled so that the one singled out fits below its equals.
            single = {other: 2 * colour - (other == name) for other, colour in colours.items()}
            yield from self.distinct_colourings(self.refine(_ranks(single)))

    def spell(self, colours: Colours) -> str:
        """Return the recipe with nodes in the order of their colours, as far as each comes after its inputs."""
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
        return json.dumps(spelled, separators=(",", ":"))

    def _without_twins(self, names: Sequence[str]) -> list[str]:
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
