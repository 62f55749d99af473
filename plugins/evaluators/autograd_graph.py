"""Walks the graphs that torch differentiates by."""

from __future__ import annotations

from collections.abc import Iterator

from torch.autograd.graph import Node


def graph_nodes(root: Node | None) -> Iterator[Node]:
    """Yield the nodes of a graph to differentiate by, each once, from the root on; none for what has no graph."""
    nodes = [] if root is None else [root]
    seen = set(nodes)
    while nodes:
        node = nodes.pop()
        yield node
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                nodes.append(following)
