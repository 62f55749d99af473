"""Many cells at a time: texts to arrays of integers and back, pruning, limits.

All cells of a batch have the same number of vertices. A cell is one integer: a bit for each possible edge, and at the
low end two bits for each interior vertex, with the index of its operation, vertex 1 highest. The edge from vertex `s`
to vertex `t` is bit s + t(t - 1)/2 of the edges. So the order of integers is the order in which the benchmark's code
generates cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from .cell import MAX_EDGES, NUM_VERTICES_OF_BITS, OPERATIONS, parse_cell, prune, vertex_pairs

Codes = npt.NDArray[np.int64]

BITS_PER_OPERATION = 2

_COUNTED_BITS = 11


@dataclass(frozen=True)
class CellBatch:
    """Cells of the same number of vertices.

    Attributes:
        num_vertices: That number.
        rows: Where each cell stood among the texts, shape (cells,).
        codes: One integer a cell, shape (cells,).
    """

    num_vertices: int
    rows: npt.NDArray[np.int64]
    codes: Codes


@cache
def _ops_codes() -> dict[str, tuple[int, int]]:
    """Every text of operations: its number of vertices and its integer."""
    codes = {}
    for num_ops in range(max(NUM_VERTICES_OF_BITS.values()) - 1):
        for indices in product(range(len(OPERATIONS)), repeat=num_ops):
            code = 0
            for index in indices:
                code = code << BITS_PER_OPERATION | index
            codes[",".join(OPERATIONS[index] for index in indices)] = (num_ops + 2, code)
    return codes


@cache
def _ops_texts(num_vertices: int) -> dict[int, str]:
    """The text of each integer of operations."""
    return {code: text for text, (vertices, code) in _ops_codes().items() if vertices == num_vertices}


def encode(texts: Sequence[str]) -> list[CellBatch]:
    """Read texts as they are, without pruning.

    Raises:
        InvalidArchitectureError: If one of them is no cell.
    """
    ops_codes = _ops_codes()
    rows: dict[int, list[int]] = {}
    codes: dict[int, list[int]] = {}
    for row, text in enumerate(texts):
        bits, _, ops = text.partition(":")
        num_vertices, ops_code = ops_codes.get(ops, (0, 0))
        well_formed = ":" in text and bits.count("0") + bits.count("1") == len(bits)
        if not well_formed or num_vertices == 0 or NUM_VERTICES_OF_BITS.get(len(bits)) != num_vertices:
            _refuse(text)
        rows.setdefault(num_vertices, []).append(row)
        codes.setdefault(num_vertices, []).append(int(bits, 2) << ops_width(num_vertices) | ops_code)
    return [CellBatch(n, np.array(rows[n]), _from_text_order(n, np.array(codes[n]))) for n in sorted(rows)]


def decode(num_vertices: int, codes: Codes) -> list[str]:
    """Write integers as texts."""
    ops_texts, width = _ops_texts(num_vertices), ops_width(num_vertices)
    num_bits = len(vertex_pairs(num_vertices))
    ops_mask = (1 << width) - 1
    in_text_order = _to_text_order(num_vertices, codes).tolist()
    return [f"{code >> width:0{num_bits}b}:{ops_texts[code & ops_mask]}" for code in in_text_order]


def _from_text_order(num_vertices: int, codes: Codes) -> Codes:
    """Put the bits of the edges in their place; in `codes` they are as in a text, the first one highest."""
    width = ops_width(num_vertices)
    placed = codes & (1 << width) - 1
    for index, (source, target) in enumerate(reversed(vertex_pairs(num_vertices))):
        placed |= (codes >> (width + index) & 1) << edge_position(num_vertices, source, target)
    return placed


def _to_text_order(num_vertices: int, codes: Codes) -> Codes:
    """Undo `_from_text_order`."""
    width = ops_width(num_vertices)
    placed = codes & (1 << width) - 1
    for index, (source, target) in enumerate(reversed(vertex_pairs(num_vertices))):
        placed |= has_edge(num_vertices, codes, source, target) << (width + index)
    return placed


def ops_width(num_vertices: int) -> int:
    """Bits that the operations take at the low end of a cell's integer."""
    return BITS_PER_OPERATION * (num_vertices - 2)


def edge_position(num_vertices: int, source: int, target: int) -> int:
    """Position of an edge's bit in a cell's integer, counted from the low end."""
    return ops_width(num_vertices) + source + target * (target - 1) // 2


def op_position(num_vertices: int, vertex: int) -> int:
    """Position of the low bit of an interior vertex's operation in a cell's integer."""
    return BITS_PER_OPERATION * (num_vertices - 2 - vertex)


def has_edge(num_vertices: int, codes: Codes, source: int, target: int) -> Codes:
    """1 where the cell has the edge, else 0."""
    return codes >> edge_position(num_vertices, source, target) & 1


def count_edges(num_vertices: int, codes: Codes) -> Codes:
    """Number of edges of each cell."""
    bits = codes >> ops_width(num_vertices)
    ones = _bit_counts()
    counts: Codes = ones[bits & (1 << _COUNTED_BITS) - 1] + ones[bits >> _COUNTED_BITS]
    return counts


@cache
def _bit_counts() -> Codes:
    """Number of ones of every integer of 11 bits; two of them hold the 21 possible edges."""
    return np.array([value.bit_count() for value in range(1 << _COUNTED_BITS)], dtype=np.int64)


def ops_at(num_vertices: int, codes: Codes, vertex: int) -> Codes:
    """Index of the operation of an interior vertex."""
    return codes >> op_position(num_vertices, vertex) & (1 << BITS_PER_OPERATION) - 1


def prune_many(batch: CellBatch) -> Iterator[CellBatch]:
    """Leave out vertices that are not on a path from input to output; give cells of each size left.

    Raises:
        InvalidArchitectureError: If a cell has no such path, or more than 9 edges are left.
    """
    kept = kept_vertices(batch.num_vertices, batch.codes)
    for mask in np.unique(kept).tolist():
        members = kept == mask
        vertices = [vertex for vertex in range(batch.num_vertices) if mask >> vertex & 1]
        if not mask & 1:
            _refuse(decode(batch.num_vertices, batch.codes[members][:1])[0])
        codes = _select_vertices(batch.num_vertices, batch.codes[members], vertices)
        too_large = count_edges(len(vertices), codes) > MAX_EDGES
        if too_large.any():
            _refuse(decode(batch.num_vertices, batch.codes[members][too_large][:1])[0])
        yield CellBatch(len(vertices), batch.rows[members], codes)


def _refuse(text: str) -> NoReturn:
    """Raise the error that names what is wrong with a cell."""
    prune(parse_cell(text))
    raise AssertionError(f"{text!r} was expected to be refused")


def kept_vertices(num_vertices: int, codes: Codes) -> Codes:
    """Bit mask, vertex 0 lowest, of the vertices that are on a path from input to output."""
    from_input = np.ones_like(codes)
    to_output = np.full_like(codes, 1 << (num_vertices - 1))
    for source, target in vertex_pairs(num_vertices):
        from_input |= (from_input >> source & has_edge(num_vertices, codes, source, target)) << target
    for source, target in reversed(vertex_pairs(num_vertices)):
        to_output |= (to_output >> target & has_edge(num_vertices, codes, source, target)) << source
    return from_input & to_output


def _select_vertices(num_vertices: int, codes: Codes, vertices: list[int]) -> Codes:
    """Cells of the given vertices, the first and the last among them, and the edges between them."""
    if len(vertices) == num_vertices:
        return codes
    size = len(vertices)
    selected = np.zeros_like(codes)
    for source, target in vertex_pairs(size):
        bits = has_edge(num_vertices, codes, vertices[source], vertices[target])
        selected |= bits << edge_position(size, source, target)
    for vertex in range(1, size - 1):
        selected |= ops_at(num_vertices, codes, vertices[vertex]) << op_position(size, vertex)
    return selected
