"""Successive halving: Jamieson & Talwalkar, AISTATS 2016; a bracket as in Li et al. (Hyperband), JMLR 18(185), 2018.

A bracket evaluates ``starts`` random architectures with a small budget, the best 1/eta of them (rounded down) with eta
times the budget, and so on; the last of its rungs is a full evaluation. With ``eta=3, rungs=3, starts=27`` and
``cls@ep9``: 27 architectures for one epoch, 9 for three, 3 for nine. Then another bracket begins, until the evaluations
that were asked for are done. Found is the best of all full evaluations.

What the papers leave open:

- The lowest budget is eta ** -(rungs - 1) of the full one, rounded to whole steps of the evaluator; the evaluations
  that the user asks for are counted alike at every rung.
- Architectures of a bracket are distinct and uniform over the space; brackets are drawn independently of each other.
- Of equal ones, the first that was drawn goes on. An architecture without a score never goes on, and on the lowest
  rung another random one takes its place.
- Every rung is a job of its own, which trains from the beginning: a job keeps no state for another one. The curve of
  a longer evaluation passes through the scores of the shorter ones.
- A rung begins when all of the one below is told; until then, fewer proposals may wait than the user allows.
"""

from __future__ import annotations

import numpy as np

from ...core.interfaces import DesignSpace, PartialEvaluation, SearchStrategy
from ...core.seeding import derive_seed
from .settings import SuccessiveHalvingSettings


class SuccessiveHalving(SearchStrategy[SuccessiveHalvingSettings]):
    """Gives ever longer evaluations to ever fewer architectures."""

    def __init__(self, space: DesignSpace, settings: SuccessiveHalvingSettings, seed: int) -> None:
        super().__init__(space, settings, seed)
        self._rng = np.random.default_rng(derive_seed("successive-halving", space.name, seed))
        # Of the bracket: what it has drawn. Of its rung: how many it is for, and what became of them.
        self._drawn: set[str] = set()
        self._rung = 0
        self._size = settings.starts
        self._unasked: list[str] = []
        self._waiting = 0
        self._scored: list[tuple[str, float]] = []

    @property
    def fidelities(self) -> tuple[float, ...]:
        """Shares of a full evaluation, one for each rung."""
        eta, rungs = self.settings.eta, self.settings.rungs
        return tuple(float(eta) ** (rung + 1 - rungs) for rung in range(rungs))

    def ask(self, count: int) -> list[PartialEvaluation]:
        """Propose what the rung still lacks, none while the last of it wait, and begin the next when all are told."""
        if self._is_complete():
            self._begin_next_rung()
        while self._rung == 0 and len(self._unasked) < count and self._lacks_starts():
            self._draw()
        asked, self._unasked = self._unasked[:count], self._unasked[count:]
        self._waiting += len(asked)
        return [PartialEvaluation(architecture, self._rung) for architecture in asked]

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Remember the fitness until the rung is complete."""
        self._waiting -= 1
        if fitness is not None:
            self._scored.append((architecture, fitness))

    def _begin_rung(self, rung: int, size: int, architectures: list[str]) -> None:
        self._rung, self._size = rung, size
        self._unasked, self._scored = architectures, []

    def _is_complete(self) -> bool:
        return not (self._unasked or self._waiting or (self._rung == 0 and self._lacks_starts()))

    def _lacks_starts(self) -> bool:
        exhausted = self.space.size is not None and len(self._drawn) >= self.space.size
        return not exhausted and len(self._scored) + self._waiting + len(self._unasked) < self._size

    def _draw(self) -> None:
        """Draw a random architecture that is new to the bracket."""
        architecture = self.space.sample(1, self._rng)[0]
        if architecture not in self._drawn:
            self._drawn.add(architecture)
            self._unasked.append(architecture)

    def _begin_next_rung(self) -> None:
        """Let the best go on, or begin another bracket where the last rung is done or nothing has a score."""
        if self._rung == self.settings.rungs - 1 or not self._scored:
            self._drawn = set()
            self._begin_rung(0, self.settings.starts, [])
            return
        size = max(1, self._size // self.settings.eta)
        # The sort is stable: of equal ones, the first comes first.
        best = sorted(self._scored, key=lambda scored: scored[1], reverse=True)[:size]
        self._begin_rung(self._rung + 1, size, [architecture for architecture, _ in best])
