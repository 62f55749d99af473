"""What NSGA-II needs to know of a space, as operators of pymoo, which only this module and `nsga2` import.

Two ways to represent an individual, each a row of an array:

- `Choices`, where the space is a free choice of options: an integer for each decision. Initial individuals are uniform
  over combinations; pymoo's uniform crossover mixes the decisions of two parents with probability 0.9; then each
  decision takes another option with probability 1/n, n decisions. These are the probabilities of Deb et al., section
  IV, with their 1/l for each bit of a binary string. The space's own mutation is of texts, which do not say which
  options they took, so it cannot be crossed over.
- `Spellings`, where it is not: one object, the text. Initial individuals are a sample of the space; a child is a mutant
  of one parent as the space defines it, without crossover.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.sampling import Sampling
from pymoo.operators.crossover.ux import UniformCrossover

from ...core.interfaces import DesignSpace

CROSSOVER_PROBABILITY = 0.9

# As often as pymoo makes children until there are enough new ones.
ATTEMPTS = 100

Rows = npt.NDArray[Any]
"""Individuals, shape (individuals, variables)."""


class Representation(ABC):
    """How individuals are written, drawn and varied.

    Attributes:
        num_variables: Length of an individual's row.
        crossover: What makes children of parents, before they are mutated.
    """

    num_variables: int
    crossover: Crossover

    def __init__(self, space: DesignSpace) -> None:
        self.space = space

    def identify(self, row: Rows) -> str:
        """Return the canonical string of one individual's architecture, shape (variables,)."""
        return self.space.canonicalize(self.spell(row))

    @abstractmethod
    def spell(self, row: Rows) -> str:
        """Return the architecture of one individual, shape (variables,)."""

    @abstractmethod
    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw individuals, at most as many as the space has architectures."""

    @abstractmethod
    def mutate(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return a mutant of each individual."""


class Choices(Representation):
    """Individuals of free choices of options."""

    def __init__(self, space: DesignSpace, choices: Sequence[Sequence[str]]) -> None:
        super().__init__(space)
        self.num_variables = len(choices)
        self.crossover = UniformCrossover(prob=CROSSOVER_PROBABILITY)
        self._num_options = np.array([len(options) for options in choices])

    def spell(self, row: Rows) -> str:
        """Assemble the architecture."""
        return self.space.assemble(row.tolist())

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw every option alike."""
        return rng.integers(self._num_options, size=(count, self.num_variables))

    def mutate(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Change each decision with probability 1/n, all other options alike; one with a single option stays."""
        changed = (rng.random(rows.shape) < 1 / self.num_variables) & (self._num_options > 1)
        steps = rng.integers(1, np.maximum(self._num_options, 2), size=rows.shape)
        return np.where(changed, (rows + steps) % self._num_options, rows)


class Copy(Crossover):  # type: ignore[misc]
    """Copies one parent; pymoo's own ``NoCrossover`` hands on the parent itself, which mutation then changes."""

    def __init__(self) -> None:
        super().__init__(n_parents=1, n_offsprings=1, prob=1.0)

    def _do(self, problem: Any, parents: Rows, *args: Any, **kwargs: Any) -> Rows:
        return parents


class Spellings(Representation):
    """Individuals of texts."""

    def __init__(self, space: DesignSpace) -> None:
        super().__init__(space)
        space.check_mutation()
        self.num_variables = 1
        self.crossover = Copy()

    def spell(self, row: Rows) -> str:
        """Return the text."""
        return str(row[0])

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Sample distinct architectures."""
        return _column(self.space.sample(count, rng))

    def mutate(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Mutate as the space defines it."""
        return _column([self.space.mutate(text, rng) for text in rows[:, 0]])


def _column(texts: Sequence[str]) -> Rows:
    return np.array(texts, dtype=object)[:, None]


def representation_of(space: DesignSpace) -> Representation:
    """Return the representation that suits a space.

    Raises:
        UnsupportedSearchSpaceError: The space has neither choices nor mutation.
    """
    choices = space.choices()
    return Spellings(space) if choices is None else Choices(space, choices)


class FirstGeneration(Sampling):  # type: ignore[misc]
    """Draws the first generation, again and again until no two of it are isomorphic."""

    def __init__(self, representation: Representation) -> None:
        super().__init__()
        self._representation = representation

    def _do(self, problem: Any, count: int, *args: Any, random_state: np.random.Generator, **kwargs: Any) -> Rows:
        size = self._representation.space.size
        wanted = count if size is None else min(count, size)
        drawn: dict[str, Rows] = {}
        for _ in range(ATTEMPTS):
            for row in self._representation.sample(wanted - len(drawn), random_state):
                drawn.setdefault(self._representation.identify(row), row)
            if len(drawn) == wanted:
                break
        return np.stack(list(drawn.values()))


class Mutant(Mutation):  # type: ignore[misc]
    """Mutates every child."""

    def __init__(self, representation: Representation) -> None:
        super().__init__(prob=1.0)
        self._representation = representation

    def _do(self, problem: Any, rows: Rows, *args: Any, random_state: np.random.Generator, **kwargs: Any) -> Rows:
        return self._representation.mutate(rows, random_state)


class IsomorphicElimination(DuplicateElimination):  # type: ignore[misc]
    """Leaves out individuals that are the same architecture as one before them, or as one of the others."""

    def __init__(self, representation: Representation) -> None:
        super().__init__()
        self._representation = representation

    def _do(self, population: Any, others: Any, is_duplicate: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        identify = self._representation.identify
        seen = set() if others is None else {identify(individual.X) for individual in others}
        for index, individual in enumerate(population):
            identity = identify(individual.X)
            is_duplicate[index] |= identity in seen
            seen.add(identity)
        return is_duplicate
