"""All cells of the space, and a uniform choice among them, without a table.

A canonical cell's graph is a canonical graph: its edges come first in the order of cells. So every cell is a canonical
graph with some operations; of those 450,808 combinations, the 423,624 that are canonical are the space.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from .canonical import canonical_codes
from .cell import MAX_EDGES, MAX_VERTICES, MIN_VERTICES, OPERATIONS, vertex_pairs
from .encoding import Codes, count_edges, decode, kept_vertices, op_position, ops_width

# Combinations to look at beyond those asked for; 6 in 100 are not canonical.
_SPARE_SHARE = 0.1
_SPARE_COUNT = 16


def sample_cells(count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` distinct canonical cells, uniform over the space, in random order."""
    order = rng.permutation(sum(len(_combinations(n)) for n in _all_num_vertices()))
    cells: list[str] = []
    start = 0
    while len(cells) < count and start < len(order):
        missing = count - len(cells)
        stop = start + missing + int(missing * _SPARE_SHARE) + _SPARE_COUNT
        cells += [text for text in _canonical_among(order[start:stop]) if text]
        start = stop
    return cells[:count]


def all_cells() -> Iterator[str]:
    """Yield every canonical cell, in the order in which the benchmark's code generates them."""
    for num_vertices in _all_num_vertices():
        codes = _combinations(num_vertices)
        yield from decode(num_vertices, codes[canonical_codes(num_vertices, codes) == codes])


def _all_num_vertices() -> range:
    return range(MIN_VERTICES, MAX_VERTICES + 1)


def _canonical_among(indices: Codes) -> list[str]:
    """The text of each combination that is canonical, an empty one for the others."""
    texts = np.full(len(indices), "", dtype=object)
    first = 0
    for num_vertices in _all_num_vertices():
        combinations = _combinations(num_vertices)
        members = np.flatnonzero((indices >= first) & (indices < first + len(combinations)))
        codes = combinations[indices[members] - first]
        canonical = canonical_codes(num_vertices, codes) == codes
        texts[members[canonical]] = decode(num_vertices, codes[canonical])
        first += len(combinations)
    return list(texts)


@cache
def _combinations(num_vertices: int) -> Codes:
    """Every canonical graph with every choice of operations, in rising order."""
    graphs = _canonical_graphs(num_vertices)
    ops = np.zeros(1, np.int64)
    positions = [op_position(num_vertices, vertex) for vertex in range(1, num_vertices - 1)]
    if positions:
        choices = product(range(len(OPERATIONS)), repeat=len(positions))
        ops = np.array([sum(op << at for op, at in zip(choice, positions, strict=True)) for choice in choices])
    return (graphs[:, None] | ops).reshape(-1)


def _canonical_graphs(num_vertices: int) -> Codes:
    """Canonical graphs in which every vertex is on a path from input to output, all operations 0."""
    graphs: Codes = np.arange(1 << len(vertex_pairs(num_vertices)), dtype=np.int64) << ops_width(num_vertices)
    graphs = graphs[count_edges(num_vertices, graphs) <= MAX_EDGES]
    graphs = graphs[kept_vertices(num_vertices, graphs) == (1 << num_vertices) - 1]
    canonical: Codes = graphs[canonical_codes(num_vertices, graphs) == graphs]
    return canonical
