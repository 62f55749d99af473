"""Regularised evolution: Real, Aggarwal, Huang & Le, AAAI 2019, algorithm 1 ("aging evolution").

A population of P random individuals; then again and again: S distinct ones are drawn, the best of them (of equals, the
first drawn) is mutated, the child joins the population and the oldest leaves it. The GenNAS authors search with P = 50,
S = 10 and 400 children (Li et al., NeurIPS 2021, released code).

What the algorithm leaves open:

- Random individuals are independent draws, uniform over the space as ``sample`` defines it: over classes of isomorphic
  architectures in the built-in spaces, where the GenNAS authors' code draws uniformly over spellings.
- An architecture without a score never joins: while the first population fills up, another random one takes its place;
  later, nobody leaves.
- Where several proposals may wait for their fitness, children are of the population as it is when they are asked for.
  The first ones are asked for when all of the first population is there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ...core.interfaces import DesignSpace, SearchStrategy
from ...core.seeding import derive_seed
from .settings import RegularizedEvolutionSettings


@dataclass(frozen=True)
class Individual:
    """An architecture, as it was spelled when it was proposed, and its fitness."""

    architecture: str
    fitness: float


class RegularizedEvolution(SearchStrategy[RegularizedEvolutionSettings]):
    """Mutates the best of a few individuals of a population whose oldest dies."""

    def __init__(self, space: DesignSpace, settings: RegularizedEvolutionSettings, seed: int) -> None:
        super().__init__(space, settings, seed)
        space.check_mutation()
        self._rng = np.random.default_rng(derive_seed("regularized-evolution", space.name, seed))
        self._population: deque[Individual] = deque()
        self._waiting = 0

    def ask(self, count: int) -> list[str]:
        """Propose random individuals until the population is full, then children."""
        asked: list[str] = []
        while len(asked) < count and (self._is_full() or self._has_room()):
            asked.append(self._child() if self._is_full() else self.space.sample(1, self._rng)[0])
            self._waiting += 1
        return asked

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Add the architecture to the population, and let the oldest die if there are too many."""
        self._waiting -= 1
        if fitness is None:
            return
        self._population.append(Individual(architecture, fitness))
        if len(self._population) > self.settings.population_size:
            self._population.popleft()

    def _is_full(self) -> bool:
        return len(self._population) == self.settings.population_size

    def _has_room(self) -> bool:
        return len(self._population) + self._waiting < self.settings.population_size

    def _child(self) -> str:
        drawn = self._rng.choice(len(self._population), self.settings.tournament_size, replace=False)
        # max() returns the first of equals.
        parent = max((self._population[index] for index in drawn), key=lambda individual: individual.fitness)
        return self.space.mutate(parent.architecture, self._rng)
