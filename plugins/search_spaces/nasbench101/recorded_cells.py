"""Mutants among the cells of a table that lacks some of the space's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..other_records import draw_others
from .cell import MAX_VERTICES, parse_cell, vertex_pairs

if TYPE_CHECKING:
    import numpy as np

_ABSENT = ""


def mutate_among(records: Sequence[str], text: str, rng: np.random.Generator) -> str:
    """Return the nearest of some other cells of a table: fewest edges and operations differ.

    Cells are compared as they are spelled, with the output as the seventh vertex; operations of vertices that one of
    two cells lacks differ.

    Args:
        records: Canonical cells.
        text: A canonical cell.
        rng: Source of randomness.

    Returns:
        The first of equally near ones; the cell itself if there is no other.
    """
    drawn = draw_others(records, text, rng)
    wanted = _entries(text)
    return min((records[row] for row in drawn), key=lambda other: _difference(_entries(other), wanted), default=text)


def _entries(text: str) -> list[object]:
    """Return which of the possible edges of seven vertices there are, and the operations of five."""
    cell = parse_cell(text)
    last = MAX_VERTICES - 1
    edges = {(source, last if target == cell.output else target) for source, target in cell.edges}
    missing = MAX_VERTICES - cell.num_vertices
    return [*(pair in edges for pair in vertex_pairs(MAX_VERTICES)), *cell.ops, *[_ABSENT] * missing]


def _difference(one: Sequence[object], other: Sequence[object]) -> int:
    return sum(mine != theirs for mine, theirs in zip(one, other, strict=True))
