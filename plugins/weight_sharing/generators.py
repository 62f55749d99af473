"""The random numbers of a strategy: one CPU generator for each purpose, whose states are kept in checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ...core.weight_sharing import SupernetContext


class Generators:
    """Generators by purpose, made when they are first asked for."""

    def __init__(self, context: SupernetContext) -> None:
        self._context = context
        self._made: dict[str, torch.Generator] = {}

    def __getitem__(self, purpose: str) -> torch.Generator:
        if purpose not in self._made:
            self._made[purpose] = self._context.generator(purpose)
        return self._made[purpose]

    def state(self) -> dict[str, Any]:
        """Return what decides all further numbers."""
        return {purpose: generator.get_state() for purpose, generator in self._made.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        for purpose, kept in state.items():
            self[purpose].set_state(kept.cpu())
