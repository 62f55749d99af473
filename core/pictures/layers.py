"""Arranges the nodes of a cell in layers, from left to right, such that few edges cross.

The layered drawing of Sugiyama, Tagawa & Toda (IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981): a node
is in the layer that its longest path from an input leads to, an edge across layers has a bend in each, and layers are
reordered until no reordering helps. Where edges have labels, layers of labels alternate with layers of nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .graph import CellEdge, CellGraph, CellNode

# All orders of a layer are tried up to this size (120 orders), then all exchanges of two, and of neighbours in layers
# so large that others would take minutes.
_SMALL_LAYER = 5
_LARGE_LAYER = 12

# Local search from this many random orders as well; cells of the usual spaces need fewer. Large ones take a second for
# each, and get none.
_RANDOM_STARTS = 12
_MANY_SEGMENTS = 150

Orders = list[list[int]]
Links = dict[int, list[int]]
"""The items that each item has segments to, on one side."""


@dataclass(frozen=True)
class Item:
    """What has a place in a layer.

    Attributes:
        layer: Number of its layer, from 0.
        shown: The node, the edge whose label is here, or None for a bend of an edge.
    """

    layer: int
    shown: CellNode | CellEdge | None


@dataclass(frozen=True)
class Layers:
    """Items in layers.

    Attributes:
        items: All of them.
        routes: For each edge, in the order of the graph, the items from its source to its target.
        orders: For each layer its items from bottom to top, as positions in ``items``.
    """

    items: Sequence[Item]
    routes: Sequence[Sequence[int]]
    orders: Sequence[Sequence[int]]


def arrange(graph: CellGraph) -> Layers:
    """Arrange a cell; the same cell always gives the same picture."""
    items, routes = _place(graph)
    segments = [pair for route in routes for pair in itertools.pairwise(route)]
    starts = _starts(items, len(segments))
    best = min((_improve(start, segments) for start in starts), key=lambda orders: _cost(orders, segments))
    return Layers(items, routes, best)


def _place(graph: CellGraph) -> tuple[list[Item], list[list[int]]]:
    import networkx

    network = networkx.DiGraph()
    network.add_nodes_from(node.name for node in graph.nodes)
    network.add_edges_from((edge.source, edge.target) for edge in graph.edges)
    # Labels need layers of their own, and so do several edges between two nodes, to run apart.
    step = 2 if any(edge.label for edge in graph.edges) or network.size() < len(graph.edges) else 1
    generations = networkx.topological_generations(network)
    layer = {name: step * number for number, names in enumerate(generations) for name in names}
    items = [Item(layer[node.name], node) for node in graph.nodes]
    position = {node.name: number for number, node in enumerate(graph.nodes)}
    routes = []
    for edge in graph.edges:
        between = range(layer[edge.source] + 1, layer[edge.target])
        bends = range(len(items), len(items) + len(between))
        items += [Item(number, edge if number == _label_layer(edge, between) else None) for number in between]
        routes.append([position[edge.source], *bends, position[edge.target]])
    return items, routes


def _label_layer(edge: CellEdge, between: range) -> int | None:
    """Return the middle one of the layers that hold labels: the odd ones."""
    if not edge.label:
        return None
    odd = [number for number in between if number % 2]
    return odd[len(odd) // 2]


def _starts(items: Sequence[Item], num_segments: int) -> Iterator[Orders]:
    import numpy as np

    orders: Orders = [[] for _ in range(1 + max(item.layer for item in items))]
    for number, item in enumerate(items):
        orders[item.layer].append(number)
    yield orders
    yield [order[::-1] for order in orders]
    if num_segments > _MANY_SEGMENTS or max(map(len, orders)) > _LARGE_LAYER:
        return
    rng = np.random.default_rng(0)
    for _ in range(_RANDOM_STARTS):
        yield [[order[index] for index in rng.permutation(len(order))] for order in orders]


def _improve(orders: Orders, segments: Sequence[tuple[int, int]]) -> Orders:
    """Reorder one layer at a time until that does not make it better."""
    orders, cost = list(orders), _cost(orders, segments)
    before: Links = {number: [] for order in orders for number in order}
    behind: Links = {number: [] for number in before}
    for source, target in segments:
        behind[source].append(target)
        before[target].append(source)
    while True:
        last = cost
        for layer, order in enumerate(orders):
            # Every segment lies between neighbouring layers: the others need no look.
            costs = _LayerCosts(order, _heights(orders[max(0, layer - 1) : layer + 2]), (before, behind))
            orders[layer] = min(itertools.chain([order], _orders_of(order)), key=costs.of)
        cost = _cost(orders, segments)
        if cost >= last:
            return orders


class _LayerCosts:
    """What orders of one layer cost while the layers beside it stay as they are: sums of what pairs and places cost."""

    def __init__(self, order: Sequence[int], heights: Mapping[int, float], sides: Sequence[Links]) -> None:
        ends = [{item: [heights[end] for end in links[item]] for item in order} for links in sides]
        self._crossings = {
            (low, high): sum(one > other for side in ends for one in side[low] for other in side[high])
            for low, high in itertools.permutations(order, 2)
        }
        self._climbs = [
            {item: sum(abs(heights[place] - end) for side in ends for end in side[item]) for item in order}
            for place in order
        ]

    def of(self, order: Sequence[int]) -> tuple[int, float]:
        """Return how many segments cross, and how far all of them climb."""
        crossings = sum(self._crossings[pair] for pair in itertools.combinations(order, 2))
        return crossings, sum(climbs[item] for climbs, item in zip(self._climbs, order, strict=True))


def _orders_of(order: list[int]) -> Iterator[list[int]]:
    if len(order) <= _SMALL_LAYER:
        yield from map(list, itertools.permutations(order))
        return
    indices = range(len(order))
    pairs = itertools.combinations(indices, 2) if len(order) <= _LARGE_LAYER else itertools.pairwise(indices)
    for first, second in pairs:
        exchanged = order.copy()
        exchanged[first], exchanged[second] = order[second], order[first]
        yield exchanged


def _heights(orders: Orders) -> dict[int, float]:
    return {item: place - (len(order) - 1) / 2 for order in orders for place, item in enumerate(order)}


def _cost(orders: Orders, segments: Sequence[tuple[int, int]]) -> tuple[int, float]:
    """Return how many segments cross, and how far all of them climb."""
    height = _heights(orders)
    layer = {item: number for number, order in enumerate(orders) for item in order}
    by_layer: dict[int, list[tuple[float, float]]] = {}
    for source, target in segments:
        by_layer.setdefault(layer[source], []).append((height[source], height[target]))
    crossings = sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for pairs in by_layer.values()
        for one, other in itertools.combinations(pairs, 2)
    )
    return crossings, sum(abs(start - end) for pairs in by_layer.values() for start, end in pairs)
