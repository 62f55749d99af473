"""When two NAS-Bench-201 cells are the same network, and the string that stands for it.

What counts as the network of a cell:

- Every convolution (with its ReLU and batch normalisation) has weights of its own. One whose output is used twice is
  one, two on the same input are two.
- A skip connection is no operation: a node is the sum of all that reaches it through skip connections, and what
  reaches it twice counts twice.
- Average pooling has no weights, so that it is known by what it pools: two poolings of one input are one used twice.
  Pooling a sum and adding up pooled terms stay two networks. They compute the same function, since pooling is linear,
  but by other steps, and other rounding.
- What never reaches the output, or is fed with zeros alone, is no part of the network. A convolution fed with zeros
  outputs its batch normalisation's bias in the benchmark, the same number at every pixel: 0 at first, but training may
  change it. Networks are built here without it.
- The order of the nodes and of the terms of a sum is immaterial.

The 15,625 cells make 5,260 networks. The benchmark's own rule is in `official`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations, product

from .cell import CONVOLUTIONS, EDGES, NUM_NODES, OPERATIONS, check_ops, format_arch_str

NUM_NETWORKS = 5260
"""Networks that the 15,625 cells make."""

_INPUT = "0"


def live_ops(ops: Sequence[str]) -> tuple[str, ...]:
    """Replace the operations of dead edges by `none`: those fed with zeros alone, and those that reach no output.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    check_ops(ops)
    present = [edge for op, edge in zip(ops, EDGES, strict=True) if op != "none"]
    fed, used = {0}, {NUM_NODES - 1}
    for target, source in present:
        if source in fed:
            fed.add(target)
    for target, source in reversed(present):
        if target in used:
            used.add(source)
    return tuple(
        op if source in fed and target in used else "none" for op, (target, source) in zip(ops, EDGES, strict=True)
    )


def network_key(ops: Sequence[str]) -> str:
    """Key of the cell's network; equal for cells that are the same network and for no others.

    The key is the output as an expression in which each convolution has a number, by which equal ones on equal
    inputs are told apart. Among all ways to number these, it is the first expression in alphabetical order. The key
    of a cell whose output is always zero is empty.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    live = live_ops(ops)
    return min(_output_expression(live, numbers) for numbers in _numberings(live))


def _output_expression(ops: Sequence[str], numbers: Sequence[int]) -> str:
    return "+".join(_node_terms(ops, numbers)[-1])


def _node_terms(ops: Sequence[str], numbers: Sequence[int]) -> list[list[str]]:
    """Write each node as its sorted terms, with a number for the convolution of each edge."""
    nodes: list[list[str]] = [[_INPUT]] + [[] for _ in range(NUM_NODES - 1)]
    for op, number, (target, source) in zip(ops, numbers, EDGES, strict=True):
        nodes[target] = sorted(nodes[target] + _edge_terms(op, number, nodes[source]))
    return nodes


def _edge_terms(op: str, number: int, source_terms: list[str]) -> list[str]:
    match op:
        case "none":
            return []
        case "skip_connect":
            return source_terms
        case "avg_pool_3x3":
            return [f"({'+'.join(source_terms)})@{op}"]
        case _:
            return [f"({'+'.join(source_terms)})@{op}#{number}"]


def _numberings(ops: Sequence[str]) -> Iterator[list[int]]:
    """Number the convolutions, one number an edge, in all ways that tell equal ones on equal inputs apart."""
    unnumbered = [0] * len(EDGES)
    nodes = _node_terms(ops, unnumbered)
    twins: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for edge, (op, (_, source)) in enumerate(zip(ops, EDGES, strict=True)):
        if op in CONVOLUTIONS:
            twins[op, *nodes[source]].append(edge)
    for orders in product(*(permutations(edges) for edges in twins.values())):
        numbers = unnumbered.copy()
        for order in orders:
            for number, edge in enumerate(order):
                numbers[edge] = number
        yield numbers


@cache
def _canonical_by_key() -> dict[str, str]:
    """Map each network to its first cell in lexicographic order of operation indices, in that order.

    The first cell has no dead edge: with `none` there it would come earlier.
    """
    canonical: dict[str, str] = {}
    for ops in product(OPERATIONS, repeat=len(EDGES)):
        if live_ops(ops) == ops:
            canonical.setdefault(network_key(ops), format_arch_str(ops))
    return canonical


def canonical_arch_str(ops: Sequence[str]) -> str:
    """Representative of the cell's network: its first cell in lexicographic order of operation indices.

    Raises:
        InvalidArchitectureError: If there are not six names or one is no operation.
    """
    return _canonical_by_key()[network_key(ops)]


@cache
def unique_arch_strs() -> tuple[str, ...]:
    """Canonical strings of all 5,260 networks, in lexicographic order of operation indices."""
    return tuple(_canonical_by_key().values())
