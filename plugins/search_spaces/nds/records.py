"""The `net` of a released record of a cell network: what there must be, before its meaning is looked at."""

from __future__ import annotations

from ....core.errors import InvalidArchitectureError


def net_fields(net: object) -> tuple[int, int, dict[str, object]]:
    """Return width, depth and genotype.

    Raises:
        InvalidArchitectureError: One is missing, or of another type.
    """
    if not isinstance(net, dict) or not isinstance(net.get("genotype"), dict):
        fields = f" It has {', '.join(sorted(map(str, net)))[:100]}." if isinstance(net, dict) and net else ""
        raise InvalidArchitectureError(f"'net' has no 'genotype': it is no record of a cell network.{fields}")
    return _whole(net, "width"), _whole(net, "depth"), net["genotype"]


def flat_edges(genotype: dict[str, object], key: str) -> tuple[list[tuple[str, int]], list[int]]:
    """Return a cell's operations with their sources, and the indices that it concatenates.

    Args:
        genotype: As in a record.
        key: `normal` or `reduce`.

    Raises:
        InvalidArchitectureError: One is missing, or of another type.
    """
    edges, concat = genotype.get(key), genotype.get(f"{key}_concat")
    if not isinstance(edges, list):
        raise InvalidArchitectureError(f"'net.genotype.{key}' is {edges!r:.60}, expected pairs of operation and source")
    for place, edge in enumerate(edges):
        if not _is_edge(edge):
            raise InvalidArchitectureError(
                f"'net.genotype.{key}[{place}]' is {edge!r:.60}, expected a pair of operation and source"
            )
    if not isinstance(concat, list) or not all(type(index) is int for index in concat):
        raise InvalidArchitectureError(f"'net.genotype.{key}_concat' is {concat!s:.60}, expected indices of nodes")
    return [(operation, source) for operation, source in edges], concat


def _is_edge(edge: object) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and isinstance(edge[0], str) and type(edge[1]) is int


def _whole(net: dict[str, object], key: str) -> int:
    value = net.get(key)
    if type(value) is not int:
        raise InvalidArchitectureError(f"'net.{key}' is {value!r:.40}, expected a whole number")
    return value
