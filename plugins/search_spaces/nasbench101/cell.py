"""NAS-Bench-101 cells: notation, pruning and limits, and the benchmark's hash.

A cell is a directed acyclic graph of at most seven vertices and nine edges. Vertex 0 is the input, the last one the
output, and every vertex between them has an operation (Ying et al., NAS-Bench-101, ICML 2019, section 2.1).

In text a cell is ``BITS:OPS``. ``BITS`` is the upper triangle of the adjacency matrix row by row, ``OPS`` the
operations of the interior vertices, separated by commas: ``101011:conv3x3-bn-relu,maxpool3x3`` has four vertices.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from ....core.errors import InvalidArchitectureError, closest_matches

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""Operation names; a position in this tuple is the operation's label in the benchmark's code."""

MIN_VERTICES = 2
MAX_VERTICES = 7
MAX_EDGES = 9
"""The benchmark's limits (section 2.1); they hold for a cell without vertices that do not matter."""

NUM_CELLS = 423_624
"""Cells within these limits that are not isomorphic to each other (section 2.1)."""

_INPUT_LABEL = -1
_OUTPUT_LABEL = -2

_SHOWN_LENGTH = 200


@cache
def vertex_pairs(num_vertices: int) -> tuple[tuple[int, int], ...]:
    """All possible edges (source, target), in the order of the bits of a text."""
    return tuple(combinations(range(num_vertices), 2))


NUM_VERTICES_OF_BITS = {len(vertex_pairs(n)): n for n in range(MIN_VERTICES, MAX_VERTICES + 1)}


@dataclass(frozen=True)
class Cell:
    """One spelling of a cell.

    Attributes:
        num_vertices: Vertices with input and output, 2 to 7.
        edges: Edges (source, target) with source < target, in the order of `vertex_pairs`.
        ops: Operation names of the interior vertices 1 to ``num_vertices - 2``.
    """

    num_vertices: int
    edges: tuple[tuple[int, int], ...]
    ops: tuple[str, ...]

    @property
    def output(self) -> int:
        """The last vertex."""
        return self.num_vertices - 1

    def sources(self, target: int) -> list[int]:
        """Vertices with an edge to ``target``, in rising order."""
        return [source for source, end in self.edges if end == target]

    def targets(self, source: int) -> list[int]:
        """Vertices with an edge from ``source``, in rising order."""
        return [target for start, target in self.edges if start == source]

    def __str__(self) -> str:
        """Write the cell as ``BITS:OPS``."""
        edges = set(self.edges)
        bits = "".join("1" if pair in edges else "0" for pair in vertex_pairs(self.num_vertices))
        return f"{bits}:{','.join(self.ops)}"


def parse_cell(text: str) -> Cell:
    """Read ``BITS:OPS``; the cell may have vertices that do not matter.

    Raises:
        InvalidArchitectureError: If the text has another shape, or names an unknown operation.
    """
    bits, colon, ops_text = text.partition(":")
    if not colon:
        raise _error(text, "has no ':'; expected BITS:OPS, such as 101011:conv3x3-bn-relu,maxpool3x3")
    for position, character in enumerate(bits, start=1):
        if character not in "01":
            raise _error(text, f"character {position} is {character!r}; before the ':' only 0 and 1 are allowed")
    if len(bits) not in NUM_VERTICES_OF_BITS:
        lengths = ", ".join(map(str, NUM_VERTICES_OF_BITS))
        raise _error(
            text,
            f"has {len(bits)} bits before the ':'; the upper triangle of the matrix has one of {lengths} bits, "
            f"for {MIN_VERTICES} to {MAX_VERTICES} vertices",
        )
    num_vertices = NUM_VERTICES_OF_BITS[len(bits)]
    edges = tuple(pair for pair, bit in zip(vertex_pairs(num_vertices), bits, strict=True) if bit == "1")
    return Cell(num_vertices, edges, _parse_ops(text, ops_text, num_vertices))


def _parse_ops(text: str, ops_text: str, num_vertices: int) -> tuple[str, ...]:
    ops = tuple(ops_text.split(",")) if ops_text else ()
    expected = num_vertices - 2
    if len(ops) != expected:
        raise _error(
            text,
            f"has {len(ops)} operation(s) after the ':', expected {expected}: one for each interior vertex of "
            f"{num_vertices}, separated by commas",
        )
    for vertex, op in enumerate(ops, start=1):
        if op not in OPERATIONS:
            hint = closest_matches(op[:_SHOWN_LENGTH], OPERATIONS) or f"Choose from {', '.join(OPERATIONS)}."
            raise _error(text, f"unknown operation {_shown(op)!r} at vertex {vertex}. {hint.strip()}")
    return ops


def _error(text: str, problem: str) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"NAS-Bench-101 cell {_shown(text)!r}: {problem}")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}..."


def prune(cell: Cell) -> Cell:
    """Leave out every vertex that is not on a path from input to output, and check the benchmark's limit.

    Raises:
        InvalidArchitectureError: If there is no such path, or more than 9 edges are left.
    """
    from_input, to_output = {0}, {cell.output}
    for source, target in cell.edges:
        if source in from_input:
            from_input.add(target)
    for source, target in reversed(cell.edges):
        if target in to_output:
            to_output.add(source)
    kept = sorted(from_input & to_output)
    if 0 not in kept:
        raise _error(str(cell), "no path leads from the input to the output")
    number = {vertex: index for index, vertex in enumerate(kept)}
    edges = tuple((number[s], number[t]) for s, t in cell.edges if s in number and t in number)
    if len(edges) > MAX_EDGES:
        raise _error(
            str(cell), f"has {len(edges)} edges on paths from input to output; NAS-Bench-101 allows {MAX_EDGES}"
        )
    return Cell(len(kept), edges, tuple(cell.ops[vertex - 1] for vertex in kept[1:-1]))


def module_hash(cell: Cell) -> str:
    """The key of a cell in the benchmark's own table: equal for isomorphic cells.

    As in the benchmark's code: every vertex starts with a hash of its degrees and label, and takes up the hashes of
    its neighbours once for each vertex of the cell.

    Args:
        cell: A pruned cell.

    Returns:
        32 hexadecimal digits.
    """
    labels = [_INPUT_LABEL, *map(OPERATIONS.index, cell.ops), _OUTPUT_LABEL]
    sources = [cell.sources(vertex) for vertex in range(cell.num_vertices)]
    targets = [cell.targets(vertex) for vertex in range(cell.num_vertices)]
    degrees = zip(map(len, targets), map(len, sources), labels, strict=True)
    hashes = [_md5(str(start)) for start in degrees]
    for _ in range(cell.num_vertices):
        hashes = [
            _md5(f"{_join_sorted(hashes, before)}|{_join_sorted(hashes, after)}|{own}")
            for before, after, own in zip(sources, targets, hashes, strict=True)
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _join_sorted(hashes: list[str], vertices: list[int]) -> str:
    return "".join(sorted(hashes[vertex] for vertex in vertices))
