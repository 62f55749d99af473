"""What others write for a cell: its number in the benchmark, or NASLib's indices of operations.

The benchmark numbers its 15,625 cells in a shuffled order, which NATS-Bench's topology space keeps: all cells in
lexicographic order of operation indices, shuffled by Python's generator of seed 88. A test compares the numbers made
here with those of the published lists.

NASLib writes a cell as six indices in an order of operations and of edges of its own (`OP_NAMES` and `EDGE_LIST` in
`naslib/search_spaces/nasbench201/conversions.py`), such as ``(4, 0, 3, 1, 4, 3)``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from itertools import product

from ....core.errors import InvalidArchitectureError
from ..index_lists import read_index_list
from .cell import EDGES, OPERATIONS, parse_arch_str

NUMBERING_SEED = 88

NASLIB_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""A position in this tuple is the operation's index in NASLib, which calls the first Identity and the second Zero."""

NASLIB_EDGES = ((1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (3, 2))
"""Edges as (target node, source node) in NASLib's order, by source. It counts nodes from 1."""


def parse_cell(text: str) -> tuple[str, ...]:
    """Read a cell in any spelling: an architecture string, its number in NAS-Bench-201, or NASLib's six indices.

    Returns:
        The six operation names in the order of `EDGES`.

    Raises:
        InvalidArchitectureError: The text is none of these, or a number is out of its range.
    """
    numbers = read_index_list(text)
    if numbers is None:
        return parse_arch_str(text)
    return _numbered_cell(text, numbers[0]) if len(numbers) == 1 else _naslib_cell(text, numbers)


@cache
def numbered_cells() -> tuple[tuple[str, ...], ...]:
    """Return the operations of all 15,625 cells; a position in this tuple is the cell's number in the benchmark."""
    cells = list(product(OPERATIONS, repeat=len(EDGES)))
    random.Random(NUMBERING_SEED).shuffle(cells)
    return tuple(cells)


def _numbered_cell(text: str, number: int) -> tuple[str, ...]:
    cells = numbered_cells()
    if not 0 <= number < len(cells):
        raise InvalidArchitectureError(
            f"NAS-Bench-201 architecture {text[:40]!r}: its cells are numbered from 0 to {len(cells) - 1}."
        )
    return cells[number]


def _naslib_cell(text: str, indices: Sequence[int]) -> tuple[str, ...]:
    if len(indices) != len(NASLIB_EDGES):
        raise InvalidArchitectureError(
            f"NAS-Bench-201 architecture {text[:40]!r} has {len(indices)} numbers. NASLib writes a cell as "
            f"{len(NASLIB_EDGES)} indices of operations, such as (4, 0, 3, 1, 4, 3); the benchmark's own number of a "
            "cell stands alone."
        )
    for position, index in enumerate(indices, start=1):
        if not 0 <= index < len(NASLIB_OPERATIONS):
            named = ", ".join(f"{i} {name}" for i, name in enumerate(NASLIB_OPERATIONS))
            raise InvalidArchitectureError(
                f"NAS-Bench-201 architecture {text!r}: index {index} at position {position} is no operation of NASLib: "
                f"{named}."
            )
    op_of = {edge: NASLIB_OPERATIONS[index] for edge, index in zip(NASLIB_EDGES, indices, strict=True)}
    return tuple(op_of[edge] for edge in EDGES)
