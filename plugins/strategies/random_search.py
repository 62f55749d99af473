"""Random search: the control that every other strategy has to beat."""

from __future__ import annotations

from typing import ClassVar

from ...core.interfaces import DesignSpace, SearchStrategy
from ...core.seeding import derive_seed
from ...core.settings import Settings

# How many architectures are drawn ahead at a time where the space is too large to be listed.
DRAW_AHEAD = 1000


class RandomSearch(SearchStrategy[Settings]):
    """Proposes distinct architectures uniformly at random and learns nothing from their scores."""

    learns: ClassVar[bool] = False

    def __init__(self, space: DesignSpace, settings: Settings, seed: int) -> None:
        super().__init__(space, settings, seed)
        import numpy as np

        self._rng = np.random.default_rng(derive_seed("random-search", space.name, seed))
        self._proposed: set[str] = set()
        self._waiting: list[str] = []

    def ask(self, count: int) -> list[str]:
        """Propose up to ``count`` architectures that were not proposed before."""
        while len(self._waiting) < count and not self._exhausted():
            drawn = self.space.sample(min(DRAW_AHEAD, self.space.size or DRAW_AHEAD), self._rng)
            new = [arch_id for arch_id in drawn if arch_id not in self._proposed]
            self._proposed.update(new)
            self._waiting += new
        asked, self._waiting = self._waiting[:count], self._waiting[count:]
        return asked

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Ignore the fitness."""

    def _exhausted(self) -> bool:
        return self.space.size is not None and len(self._proposed) >= self.space.size
