"""NAS-Bench-201 cells: notation, and two rules of when two cells are the same.

A cell has four nodes and one operation on each of its six edges. Node 0 is the input, node 3 the output, and
a node is the sum of its incoming edges (Dong & Yang, NAS-Bench-201, ICLR 2020, section 2.1).
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

from ....core.errors import InvalidArchitectureError

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""Operation names; a position in this tuple is the operation's index in NAS-Bench-201."""

EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""Edges as (target node, source node), in the order of an architecture string."""

NUM_NODES = 4

_ZERO = "#"


def parse_arch_str(text: str) -> tuple[str, ...]:
    """Read an architecture string such as `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`.

    Args:
        text: NAS-Bench-201's notation; the k-th group lists the edges into node k, sources in rising order.

    Returns:
        The six operation names in the order of `EDGES`.

    Raises:
        InvalidArchitectureError: If the string has another shape or names an unknown operation or source
            node.
    """
    groups = text.split("+")
    if len(groups) != NUM_NODES - 1:
        raise InvalidArchitectureError(
            f"NAS-Bench-201 architecture {text!r} has {len(groups)} '+'-separated groups, "
            f"expected {NUM_NODES - 1}: |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
        )
    ops: list[str] = []
    for target, group in enumerate(groups, start=1):
        ops.extend(_parse_node(text, group, target))
    return tuple(ops)


def _parse_node(text: str, group: str, target: int) -> list[str]:
    """Read the edges into one node, such as `|op~0|op~1|` for node 2."""
    edges = group[1:-1].split("|")
    if len(group) < 2 or group[0] != "|" or group[-1] != "|" or len(edges) != target:
        expected = "|" + "".join(f"op~{source}|" for source in range(target))
        raise InvalidArchitectureError(
            f"NAS-Bench-201 architecture {text!r}: group {target} is {group!r}, expected {target} edge(s): {expected}"
        )
    ops = []
    for source, edge in enumerate(edges):
        op, _, source_text = edge.partition("~")
        if source_text != str(source):
            raise InvalidArchitectureError(
                f"NAS-Bench-201 architecture {text!r}: edge {edge!r} in group {target} must end in '~{source}'"
            )
        if op not in OPERATIONS:
            raise InvalidArchitectureError(
                f"NAS-Bench-201 architecture {text!r}: unknown operation {op!r} on edge {target}<-{source}; "
                f"choose from {', '.join(OPERATIONS)}"
            )
        ops.append(op)
    return ops


def format_arch_str(ops: Sequence[str]) -> str:
    """Write six operation names, in the order of `EDGES`, as an architecture string.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    _check_ops(ops)
    return _join_edges(ops)


def _join_edges(ops: Sequence[str]) -> str:
    return f"|{ops[0]}~0|+|{ops[1]}~0|{ops[2]}~1|+|{ops[3]}~0|{ops[4]}~1|{ops[5]}~2|"


def _check_ops(ops: Sequence[str]) -> None:
    if len(ops) != len(EDGES):
        raise InvalidArchitectureError(
            f"A NAS-Bench-201 cell has {len(EDGES)} operations, one per edge; got {len(ops)}: {tuple(ops)!r}"
        )
    unknown = [op for op in ops if op not in OPERATIONS]
    if unknown:
        raise InvalidArchitectureError(
            f"Unknown NAS-Bench-201 operation {unknown[0]!r}; choose from {', '.join(OPERATIONS)}"
        )


def unique_key(ops: Sequence[str]) -> str:
    """Key of the benchmark's own rule of equal cells; it makes 6,466 classes of the 15,625 cells.

    Every node becomes an expression: the input is `0`, a skip connection repeats its source's expression, any
    other operation wraps it, and a node joins its sorted edges by `+`. An edge without operation, or from a
    node that is exactly `#`, is `#` (zero). Sums of several zeros are not recognised as zero, which keeps
    some cells apart that compute the same function; `expression_key` merges them.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    _check_ops(ops)
    return _official_key(ops)


def _official_key(ops: Sequence[str]) -> str:
    node_1 = _official_edge(ops[0], "0")
    node_2 = "+".join(sorted((_official_edge(ops[1], "0"), _official_edge(ops[2], node_1))))
    terms = _official_edge(ops[3], "0"), _official_edge(ops[4], node_1), _official_edge(ops[5], node_2)
    return "+".join(sorted(terms))


def _official_edge(op: str, source: str) -> str:
    if op == "none" or source == _ZERO:
        return _ZERO
    return source if op == "skip_connect" else f"({source})@{op}"


def expression_key(ops: Sequence[str]) -> str:
    """Key of equal expressions: zero terms are dropped and skip connections flattened; 4,930 classes.

    Cells that differ in the sharing of weights only count as equal. The key of a cell whose output is always
    zero is `#`.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    _check_ops(ops)
    nodes: list[list[str]] = [["0"]]
    for target in range(1, NUM_NODES):
        terms: list[str] = []
        for op, edge in zip(ops, EDGES, strict=True):
            if edge[0] == target:
                terms.extend(_expression_edge(op, nodes[edge[1]]))
        nodes.append(sorted(terms))
    return "+".join(nodes[-1]) or _ZERO


def _expression_edge(op: str, source_terms: list[str]) -> list[str]:
    if op == "none" or not source_terms:
        return []
    return source_terms if op == "skip_connect" else [f"({'+'.join(source_terms)})@{op}"]


@cache
def _canonical_by_key() -> dict[str, str]:
    """Map each official key to its first cell in lexicographic order of operation indices, in that order."""
    canonical: dict[str, str] = {}
    for ops in product(OPERATIONS, repeat=len(EDGES)):
        key = _official_key(ops)
        if key not in canonical:
            canonical[key] = _join_edges(ops)
    return canonical


def canonical_arch_str(ops: Sequence[str]) -> str:
    """Representative of the cell's official class: its first member in lexicographic order of operation
    indices.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    return _canonical_by_key()[unique_key(ops)]


@cache
def unique_arch_strs() -> tuple[str, ...]:
    """Canonical strings of all 6,466 official classes, in lexicographic order of operation indices."""
    return tuple(_canonical_by_key().values())
