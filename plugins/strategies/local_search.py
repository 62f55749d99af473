"""Local search: White, Nolen & Savani, "Exploring the loss landscape in neural architecture search", UAI 2021.

Their algorithm 1: start at a random architecture, score all its neighbours, move to the best of them if it is better,
and so on to a local optimum. As in their released code, the search then starts again at another random architecture
(one that was never scored), and ``move=first`` moves as soon as a neighbour is better. Their code starts each climb at
the best of ten random architectures: ``starts=10``.

- Neighbours differ in one decision (``SearchSpace.neighbours``; 24 of a NAS-Bench-201 cell), and are scored in random
  order. Where a space does not list them, ``mutants`` random mutants stand for them: an optimum is then only likely.
- An architecture is proposed once. The fitness of a neighbour that was scored before is known, and counts: their code
  forgets it. With ``move=first`` nothing is scored that comes behind a neighbour that is known to be better.
- Architectures without a score are worse than all others.
"""

from __future__ import annotations

import math

import numpy as np

from ...core.interfaces import DesignSpace, SearchStrategy
from ...core.seeding import derive_seed
from .settings import LocalSearchSettings


class LocalSearch(SearchStrategy[LocalSearchSettings]):
    """Climbs from neighbour to neighbour, and starts again where none is better."""

    def __init__(self, space: DesignSpace, settings: LocalSearchSettings, seed: int) -> None:
        super().__init__(space, settings, seed)
        if space.neighbours(space.example()) is None:
            space.check_mutation()
        self._rng = np.random.default_rng(derive_seed("local-search", space.name, seed))
        self._fitness: dict[str, float] = {}
        self._height = -math.inf
        self._candidates: dict[str, str] = {}
        self._unasked: list[str] = []
        self._waiting = 0

    def ask(self, count: int) -> list[str]:
        """Propose candidates to move to, none while the last of them wait for their fitness."""
        while not self._unasked and not self._waiting and not self._is_exhausted():
            self._move()
        asked, self._unasked = self._unasked[:count], self._unasked[count:]
        self._waiting += len(asked)
        return asked

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Remember the fitness."""
        self._waiting -= 1
        height = -math.inf if fitness is None else fitness
        self._fitness[self.space.canonicalize(architecture)] = height
        if self.settings.move == "first" and self._is_climbing() and height > self._height:
            self._unasked = []

    def _is_climbing(self) -> bool:
        """Whether the candidates are neighbours, and not architectures to start at."""
        return self._height > -math.inf

    def _is_exhausted(self) -> bool:
        return self.space.size is not None and len(self._fitness) >= self.space.size

    def _move(self) -> None:
        """Go to a better candidate and on to its neighbours, or to a new start if there is none."""
        better = [arch_id for arch_id in self._candidates if self._is_better(arch_id)]
        if not better:
            self._height = -math.inf
            self._candidates = self._starts()
        else:
            first = self.settings.move == "first" and self._is_climbing()
            chosen = better[0] if first else max(better, key=self._fitness.__getitem__)
            self._height = self._fitness[chosen]
            self._candidates = self._neighbours(self._candidates[chosen])
        self._unasked = self._to_ask()

    def _is_better(self, arch_id: str) -> bool:
        """Whether a candidate is known to be better than where the search is."""
        return self._fitness.get(arch_id, -math.inf) > self._height

    def _to_ask(self) -> list[str]:
        """Return the candidates that decide where to go and whose fitness is not known."""
        candidates = list(self._candidates.items())
        if self.settings.move == "first" and self._is_climbing():
            known = (place for place, (arch_id, _) in enumerate(candidates) if self._is_better(arch_id))
            candidates = candidates[: next(known, len(candidates))]
        return [text for arch_id, text in candidates if arch_id not in self._fitness]

    def _starts(self) -> dict[str, str]:
        """Draw random architectures that were not scored before."""
        size = math.inf if self.space.size is None else self.space.size
        starts: dict[str, str] = {}
        while len(starts) < min(self.settings.starts, size - len(self._fitness)):
            arch_id = self.space.sample(1, self._rng)[0]
            if arch_id not in self._fitness:
                starts[arch_id] = arch_id
        return starts

    def _neighbours(self, text: str) -> dict[str, str]:
        """Return one spelling of each neighbour by its canonical string, in random order."""
        listed = self.space.neighbours(text)
        if listed is None:
            listed = [self.space.mutate(text, self._rng) for _ in range(self.settings.mutants)]
        shuffled = [listed[index] for index in self._rng.permutation(len(listed))]
        neighbours: dict[str, str] = {}
        for neighbour in shuffled:
            neighbours.setdefault(self.space.canonicalize(neighbour), neighbour)
        return neighbours
