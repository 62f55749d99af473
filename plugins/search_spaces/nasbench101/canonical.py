"""The canonical spelling of a cell: the one in which the benchmark's own code generates it first.

Of all ways to number the interior vertices such that every edge leads to a higher number, it is the one whose integer
(see `encoding`) is the smallest. Isomorphic cells have the same spellings, and so the same first one; a cell that is
not isomorphic shares none of them. It must be this one and no other, for the numbering decides which vertices take a
channel more where they share the output's channels: only this spelling makes the network that the benchmark trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import permutations

import numpy as np

from .cell import vertex_pairs
from .encoding import Codes, decode, edge_position, encode, op_position, ops_at, ops_width, prune_many
from .other_spellings import own_notation

# Beyond every code; marks a renumbering in which an edge would lead to a lower number.
_NO_SPELLING = 1 << 40

# A block of 4096 cells with 120 renumberings of 8 bytes each stays around 4 MB.
_BLOCK = 4096

# The bits of a code are looked up in two parts, so that a table has at most 2048 rows.
_LOW_EDGE_BITS = 11


def canonical_texts(texts: Sequence[str]) -> list[str]:
    """Return the canonical spelling of each cell, written in any way, without the vertices that do not matter.

    Raises:
        InvalidArchitectureError: If a text is no cell, or a cell of another space.
    """
    canonical = [""] * len(texts)
    for batch in encode([own_notation(text) for text in texts]):
        for pruned in prune_many(batch):
            spelled = decode(pruned.num_vertices, canonical_codes(pruned.num_vertices, pruned.codes))
            for row, text in zip(pruned.rows.tolist(), spelled, strict=True):
                canonical[row] = text
    return canonical


def canonical_codes(num_vertices: int, codes: Codes) -> Codes:
    """Return the canonical codes of pruned cells."""
    blocks = range(0, len(codes), _BLOCK)
    smallest = [_spellings(num_vertices, codes[start : start + _BLOCK]).min(axis=1) for start in blocks]
    return np.concatenate(smallest) if smallest else codes


def _spellings(num_vertices: int, codes: Codes) -> Codes:
    """All spellings of each cell, shape (cells, renumberings); `_NO_SPELLING` or more where there is none."""
    width = ops_width(num_vertices)
    ops_table, low_table, high_table = _renumbering_tables(num_vertices)
    low = codes >> width & (1 << _LOW_EDGE_BITS) - 1
    spellings: Codes = ops_table[codes & (1 << width) - 1]
    spellings |= low_table[low]
    spellings |= high_table[codes >> (width + _LOW_EDGE_BITS)]
    return spellings


@cache
def _renumbering_tables(num_vertices: int) -> tuple[Codes, Codes, Codes]:
    """Where each renumbering moves the operations, the low and the high bits of the edges.

    Each table has a row for every value of its part of a code, a column for every renumbering.
    """
    width, num_pairs = ops_width(num_vertices), len(vertex_pairs(num_vertices))
    num_low = min(num_pairs, _LOW_EDGE_BITS)
    order = np.array([(0, *inner, num_vertices - 1) for inner in permutations(range(1, num_vertices - 1))])
    ops = np.arange(1 << width)
    low = np.arange(1 << num_low) << width
    high = np.arange(1 << (num_pairs - num_low)) << (width + num_low)
    ops_table = np.zeros((len(ops), len(order)), np.int64)
    for vertex in range(1, num_vertices - 1):
        ops_table |= ops_at(num_vertices, ops, vertex)[:, None] << _op_positions(num_vertices)[order[:, vertex]]
    return ops_table, _edge_table(num_vertices, low, order), _edge_table(num_vertices, high, order)


def _op_positions(num_vertices: int) -> Codes:
    return np.array([op_position(num_vertices, vertex) for vertex in range(num_vertices)])


def _edge_table(num_vertices: int, codes: Codes, order: Codes) -> Codes:
    """Renumber the edges of `codes` in every `order`, shape (renumberings, vertices): the new number of each."""
    moved_bit = np.full((num_vertices, num_vertices), _NO_SPELLING)
    for source, target in vertex_pairs(num_vertices):
        moved_bit[source, target] = 1 << edge_position(num_vertices, source, target)
    table = np.zeros((len(codes), len(order)), np.int64)
    for source, target in vertex_pairs(num_vertices):
        bit = codes >> edge_position(num_vertices, source, target) & 1
        table |= bit[:, None] * moved_bit[order[:, source], order[:, target]]
    return table
