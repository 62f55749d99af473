"""Mutants of a cell, as the benchmark's and the GenNAS authors' evolution draws them, and all its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....core.errors import InvalidArchitectureError
from .cell import MAX_VERTICES, OPERATIONS, Cell, prune, vertex_pairs

if TYPE_CHECKING:
    import numpy as np

_NUM_INTERIOR = MAX_VERTICES - 2


def embed(cell: Cell, rng: np.random.Generator) -> Cell:
    """Spell a cell with seven vertices: those added come before the output, have random operations and no edges."""
    added = MAX_VERTICES - cell.num_vertices
    return _add_vertices(cell, tuple(OPERATIONS[index] for index in rng.integers(len(OPERATIONS), size=added)))


def _add_vertices(cell: Cell, ops: tuple[str, ...]) -> Cell:
    """Add a vertex without edges before the output for each operation."""
    edges = sorted((source, target + len(ops) * (target == cell.output)) for source, target in cell.edges)
    return Cell(cell.num_vertices + len(ops), tuple(edges), cell.ops + ops)


def neighbours(cell: Cell) -> Iterator[Cell]:
    """Yield every valid cell that has one edge more or less, or another operation at one vertex.

    Args:
        cell: Any spelling, taken as one of seven vertices: those added come before the output, have the operation
            ``OPERATIONS[0]`` and no edges. Vertices that do not matter have neighbours as well, so some of the cells
            may be isomorphic to this one; no single edge brings in a vertex that has none.

    Returns:
        Spellings with seven vertices: at most 21 that differ in an edge, in the order of `vertex_pairs`, then 10 that
        differ in an operation, in the order of the vertices and of `OPERATIONS`.

    Raises:
        InvalidArchitectureError: If the cell has no path from input to output, or too many edges.
    """
    prune(cell)
    parent = _add_vertices(cell, OPERATIONS[:1] * (MAX_VERTICES - cell.num_vertices))
    pairs = vertex_pairs(MAX_VERTICES)
    for flipped in pairs:
        child = Cell(MAX_VERTICES, tuple(p for p in pairs if (p in parent.edges) != (p == flipped)), parent.ops)
        if _is_valid(child):
            yield child
    for vertex, old in enumerate(parent.ops):
        for new in OPERATIONS:
            if new != old:
                yield Cell(MAX_VERTICES, parent.edges, (*parent.ops[:vertex], new, *parent.ops[vertex + 1 :]))


def mutate(cell: Cell, rng: np.random.Generator) -> Cell:
    """Change one edge and one operation on average, and repeat from the same cell until a valid one comes out.

    Each of the 21 possible edges is flipped with probability 1/7, each of the five operations replaced with
    probability 1/5 by one of the two others (the code of Ying et al., ICML 2019, and Li et al., NeurIPS 2021). As
    there, nothing may change, or only what does not matter.

    Args:
        cell: Any spelling; vertices that do not matter take part, for edges may make them matter.
        rng: Source of randomness.

    Returns:
        A spelling with seven vertices.

    Raises:
        InvalidArchitectureError: If the cell has no path from input to output, or too many edges.
    """
    prune(cell)
    parent = embed(cell, rng)
    while True:
        child = Cell(MAX_VERTICES, _flip_edges(parent, rng), _replace_ops(parent, rng))
        if _is_valid(child):
            return child


def _flip_edges(cell: Cell, rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    pairs = vertex_pairs(MAX_VERTICES)
    flipped = rng.random(len(pairs)) < 1.0 / MAX_VERTICES
    return tuple(pair for pair, flip in zip(pairs, flipped, strict=True) if (pair in cell.edges) != flip)


def _replace_ops(cell: Cell, rng: np.random.Generator) -> tuple[str, ...]:
    replaced = rng.random(_NUM_INTERIOR) < 1.0 / _NUM_INTERIOR
    choices = rng.integers(len(OPERATIONS) - 1, size=_NUM_INTERIOR)
    return tuple(
        [other for other in OPERATIONS if other != op][choice] if replace else op
        for op, replace, choice in zip(cell.ops, replaced, choices, strict=True)
    )


def _is_valid(cell: Cell) -> bool:
    try:
        prune(cell)
    except InvalidArchitectureError:
        return False
    return True
