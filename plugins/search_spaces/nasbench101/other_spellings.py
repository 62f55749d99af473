"""What NASLib writes for a cell: the whole adjacency matrix row by row, then the index of every vertex's operation.

A cell of n vertices has n * n + n numbers (`convert_spec_to_tuple` in NASLib's
`search_spaces/nasbench101/conversions.py`).
"""

from __future__ import annotations

from ....core.errors import InvalidArchitectureError
from ..index_lists import read_index_list
from .cell import MAX_VERTICES, MIN_VERTICES, Cell, vertex_pairs

NASLIB_OPERATIONS = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""A position in this tuple is the operation's index in NASLib."""

_INPUT, _OUTPUT = 0, 1

_VERTICES_OF_LENGTH = {n * n + n: n for n in range(MIN_VERTICES, MAX_VERTICES + 1)}


def own_notation(text: str) -> str:
    """Return ``BITS:OPS`` for a cell in NASLib's numbers; any other text as it is.

    Raises:
        InvalidArchitectureError: The text is a list of numbers, but not NASLib's of a cell.
    """
    if text[:1] not in ("(", "["):
        return text
    numbers = read_index_list(text)
    if numbers is None:
        return text
    num_vertices = _VERTICES_OF_LENGTH.get(len(numbers))
    if num_vertices is None:
        raise _error(
            text,
            f"has {len(numbers)} numbers. NASLib writes n * n + n of them for n vertices, the matrix and the "
            f"operations: one of {', '.join(map(str, _VERTICES_OF_LENGTH))}",
        )
    rows = [numbers[start : start + num_vertices] for start in range(0, num_vertices**2, num_vertices)]
    return str(Cell(num_vertices, _edges(text, rows), _operations(text, numbers[num_vertices**2 :])))


def _edges(text: str, rows: list[tuple[int, ...]]) -> tuple[tuple[int, int], ...]:
    pairs = vertex_pairs(len(rows))
    for source, row in enumerate(rows):
        for target, number in enumerate(row):
            if number not in ((0, 1) if source < target else (0,)):
                raise _error(
                    text,
                    f"row {source}, column {target} of its matrix is {number}; expected 0, or 1 for an edge to a "
                    "vertex of a higher number",
                )
    return tuple((source, target) for source, target in pairs if rows[source][target])


def _operations(text: str, indices: tuple[int, ...]) -> tuple[str, ...]:
    inner = range(_OUTPUT + 1, len(NASLIB_OPERATIONS))
    if indices[0] != _INPUT or indices[-1] != _OUTPUT or not all(index in inner for index in indices[1:-1]):
        named = ", ".join(f"{i} {name}" for i, name in enumerate(NASLIB_OPERATIONS))
        raise _error(
            text, f"ends in the operations {list(indices)}; expected input, inner operations and output, of {named}"
        )
    return tuple(NASLIB_OPERATIONS[index] for index in indices[1:-1])


def _error(text: str, problem: str) -> InvalidArchitectureError:
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    return InvalidArchitectureError(f"NAS-Bench-101 cell {shown!r}: {problem}")
