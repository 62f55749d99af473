"""NAS-Bench-201's own rule of equal cells, for lists of cells and counts that were made by it.

The benchmark counts 6,466 unique cells (Dong & Yang, ICLR 2020, section 2.1; `Structure.to_unique_str` in the authors'
code). Its rule writes a cell's output as an expression and forgets whether a convolution that occurs twice in it is
one convolution used twice or two side by side, so that 430 of its classes hold two or three different networks. It
also keeps sums of zeros apart from zero, so that 688 networks are in several classes. What this toolkit takes as one
architecture is in `identity`.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

from .cell import EDGES, OPERATIONS, check_ops, format_arch_str

_ZERO = "#"


def official_key(ops: Sequence[str]) -> str:
    """Key of the benchmark's rule of equal cells; it makes 6,466 classes of the 15,625 cells.

    Every node becomes an expression: the input is `0`, a skip connection repeats its source's expression, any
    other operation wraps it, and a node joins its sorted edges by `+`. An edge without operation, or from a
    node that is exactly `#`, is `#` (zero). Sums of several zeros are not recognised as zero.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    check_ops(ops)
    node_1 = _edge(ops[0], "0")
    node_2 = "+".join(sorted((_edge(ops[1], "0"), _edge(ops[2], node_1))))
    terms = _edge(ops[3], "0"), _edge(ops[4], node_1), _edge(ops[5], node_2)
    return "+".join(sorted(terms))


def _edge(op: str, source: str) -> str:
    if op == "none" or source == _ZERO:
        return _ZERO
    return source if op == "skip_connect" else f"({source})@{op}"


@cache
def _first_by_key() -> dict[str, str]:
    """Map each key to its first cell in lexicographic order of operation indices, in that order."""
    first: dict[str, str] = {}
    for ops in product(OPERATIONS, repeat=len(EDGES)):
        key = official_key(ops)
        if key not in first:
            first[key] = format_arch_str(ops)
    return first


def official_arch_str(ops: Sequence[str]) -> str:
    """Representative of the cell's official class: its first member in lexicographic order of operation indices.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    return _first_by_key()[official_key(ops)]


@cache
def official_arch_strs() -> tuple[str, ...]:
    """Representatives of all 6,466 official classes, in lexicographic order of operation indices."""
    return tuple(_first_by_key().values())
