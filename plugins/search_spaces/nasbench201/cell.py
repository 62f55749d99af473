"""The notation of NAS-Bench-201 cells.

A cell has four nodes and one operation on each of its six edges. Node 0 is the input, node 3 the output, and
a node is the sum of its incoming edges (Dong & Yang, NAS-Bench-201, ICLR 2020, section 2.1).
"""

from collections.abc import Sequence

from ....core.errors import InvalidArchitectureError

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""Operation names; a position in this tuple is the operation's index in NAS-Bench-201."""

CONVOLUTIONS = ("nor_conv_1x1", "nor_conv_3x3")
"""The operations with weights: ReLU, convolution and batch normalisation."""

EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""Edges as (target node, source node), in the order of an architecture string."""

NUM_NODES = 4


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
    check_ops(ops)
    return f"|{ops[0]}~0|+|{ops[1]}~0|{ops[2]}~1|+|{ops[3]}~0|{ops[4]}~1|{ops[5]}~2|"


def check_ops(ops: Sequence[str]) -> None:
    """Refuse what are not six operations.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    if len(ops) != len(EDGES):
        raise InvalidArchitectureError(
            f"A NAS-Bench-201 cell has {len(EDGES)} operations, one per edge; got {len(ops)}: {tuple(ops)!r}"
        )
    unknown = [op for op in ops if op not in OPERATIONS]
    if unknown:
        raise InvalidArchitectureError(
            f"Unknown NAS-Bench-201 operation {unknown[0]!r}; choose from {', '.join(OPERATIONS)}"
        )
