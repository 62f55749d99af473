"""The recurrent cells of a table, among which a search moves from one to another that is near.

With the benchmark's embedding (:mod:`.embedding`), a mutant is that of its authors: noise is added to the vector of a
cell and clipped to the range of all vectors, and the record whose vector has the smallest angle to it is the mutant; if
that is the cell itself, more noise is added.

Without it, cells are near if they have the same parts: nodes of the same operations that take the same kinds of inputs.
What they have in common, as a share of what one of them has at least (each part as often as it occurs), is largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ..other_records import draw_others
from .recipe import COMMUTATIVE, INPUT, new_state, parse_recipe, previous_state

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NOISE = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Standard deviations that are tried in turn in the embedding: the benchmark's notebook and GenNAS's code."""


class RecordedCells:
    """The cells of a table.

    Args:
        arch_ids: Canonical spellings.
        vectors: The vectors of these cells, as far as the benchmark's embedding has them.
    """

    def __init__(self, arch_ids: Sequence[str], vectors: Mapping[str, npt.NDArray[np.float64]] | None = None) -> None:
        self.arch_ids = arch_ids
        self._vectors = vectors or {}
        self._embedded = list(self._vectors)

    def mutate(self, text: str, rng: np.random.Generator) -> str:
        """Return a near record: in the embedding, or by its parts where the cell has no vector.

        Args:
            text: Canonical spelling of a cell, which need not be a record.
            rng: Source of randomness.

        Returns:
            The cell itself if there is no other record, or none at another angle.
        """
        return self._move(text, rng) if text in self._vectors else self._nearest_of_some(text, rng)

    def _move(self, text: str, rng: np.random.Generator) -> str:
        import numpy as np

        vectors = self._matrix
        lengths = np.linalg.norm(vectors, axis=1)
        nearest = text
        for deviation in NOISE:
            moved = self._vectors[text] + deviation * rng.standard_normal(vectors.shape[1])
            moved = moved.clip(vectors.min(axis=0), vectors.max(axis=0))
            nearest = self._embedded[(vectors @ moved / lengths).argmax()]
            if nearest != text:
                break
        return nearest

    @cached_property
    def _matrix(self) -> npt.NDArray[np.float64]:
        """All vectors, shape ``(cells, dimensions)``."""
        import numpy as np

        return np.array(list(self._vectors.values()))

    def _nearest_of_some(self, text: str, rng: np.random.Generator) -> str:
        """Return the nearest of some random records, but not the cell itself; the first of equal ones."""
        import numpy as np

        drawn = np.array(draw_others(self.arch_ids, text, rng), dtype=np.int64)
        if not len(drawn):
            return text
        nearest: int = drawn[self._similarities(text, drawn).argmax()]
        return self.arch_ids[nearest]

    def _similarities(self, text: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the share of common parts, of those of the cell and each of these records together."""
        import numpy as np

        counts = cell_parts(text)
        known = np.array([counts[part] for part in self._parts])
        common = np.minimum(self._counts[rows], known).sum(axis=1)
        together = self._counts[rows].sum(axis=1) + counts.total() - common
        similarities: npt.NDArray[np.float64] = common / together
        return similarities

    @cached_property
    def _parts(self) -> list[tuple[str, ...]]:
        """All parts that occur in a record."""
        return sorted(set().union(*map(cell_parts, self.arch_ids)))

    @cached_property
    def _counts(self) -> npt.NDArray[np.int64]:
        """How often each record has each part, shape ``(records, parts)``."""
        import numpy as np

        return np.array([[counts[part] for part in self._parts] for counts in map(cell_parts, self.arch_ids)])


def cell_parts(text: str) -> Counter[tuple[str, ...]]:
    """Count the parts of a cell: operations, those of states, and the inputs of each by kind, in order if it matters.

    Raises:
        InvalidArchitectureError: ``text`` is no recipe.
    """
    recipe = parse_recipe(text)
    states = range(recipe.num_states)
    kinds = {INPUT: INPUT, **dict.fromkeys(map(previous_state, states), "state")}
    kinds |= {name: node.operation for name, node in recipe.nodes.items()}
    parts: list[tuple[str, ...]] = [(node.operation,) for node in recipe.nodes.values()]
    parts += [("output" if index == 0 else "state", kinds[new_state(index)]) for index in states]
    for node in recipe.nodes.values():
        for position, source in enumerate(node.inputs):
            place = "" if node.operation in COMMUTATIVE else str(position)
            parts.append((node.operation, kinds[source], place))
    return Counter(parts)
