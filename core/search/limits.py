"""When a search whose limits refuse everything gives up, and what it says then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ..errors import NoFeasibleArchitectureError
from .history import SearchHeader, Step

# Refusals in a row that end a search. Of independent draws from a space where one architecture in 200 is within the
# limits, as many in a row are refused in 0.7 % of all cases (0.995 ** 1000).
MAX_REFUSALS = 1000


class StoppingRule:
    """Ends a search of which too much is refused.

    Takes steps in the order in which the strategy is told of them.

    Args:
        size: Number of architectures of the space, None if it is not known.

    Attributes:
        refused: All refused steps.
    """

    def __init__(self, size: int | None) -> None:
        self.refused: list[Step] = []
        self._size = math.inf if size is None else size
        self._distinct: set[str] = set()
        self._in_a_row = 0

    @property
    def ends_search(self) -> bool:
        """Whether the search is to end: too many refusals in a row, or nothing in the space is left."""
        return self._in_a_row >= MAX_REFUSALS or len(self._distinct) >= self._size

    def take(self, step: Step) -> None:
        """Take the next step."""
        self._in_a_row = self._in_a_row + 1 if step.refused else 0
        if step.refused:
            self.refused.append(step)
            self._distinct.add(step.arch_id)


def no_feasible_error(header: SearchHeader, refused: Sequence[Step], path: Path) -> NoFeasibleArchitectureError:
    """Say that nothing was within the limits, and what came closest: the least excess of its worst cost."""

    def excess(step: Step) -> float:
        return max(cost.excess(value) for cost, value in zip(header.costs, step.costs, strict=True))

    closest = min(refused, key=excess)
    costs = ", ".join(
        f"{cost.name} {'unknown' if math.isnan(value) else f'{value:.10g}'} (limit {cost.limit:.10g})"
        for cost, value in zip(header.costs, closest.costs, strict=True)
        if cost.limit is not None
    )
    architectures = len({step.arch_id for step in refused})
    return NoFeasibleArchitectureError(
        f"No architecture within the limits: all {len(refused):,} proposals, of {architectures:,} architectures, were "
        f"refused. The closest is '{closest.arch_id}' with {costs}. Raise the limits; '{path}' has all tries."
    )
