"""When two cells of NDS are one."""

import itertools
import time

import numpy as np
import pytest
from nasbench_toolkit.plugins.search_spaces.nds.genotype import NUM_INPUTS, Edge, canonical_cell

RANK = {"none": 0, "skip": 1, "sep3": 2}
NOWHERE = frozenset({"none"})


def random_cell(num_nodes, rng):
    names = list(RANK)
    return tuple(
        tuple(Edge(int(rng.integers(index)), names[rng.integers(len(names))]) for _ in range(2))
        for index in range(NUM_INPUTS, NUM_INPUTS + num_nodes)
    )


def first_of_all(cell):
    """Return the first of all spellings with the nodes in another order."""

    def key(node):
        return tuple(edge.source for edge in node), tuple(RANK[edge.operation] for edge in node)

    spellings = []
    for order in itertools.permutations(range(NUM_INPUTS, NUM_INPUTS + len(cell))):
        new = {0: 0, 1: 1, **{old: place for place, old in enumerate(order, NUM_INPUTS)}}
        nodes = []
        for old in order:
            edges = [Edge(0 if name in NOWHERE else new[source], name) for source, name in cell[old - NUM_INPUTS]]
            nodes.append(tuple(sorted(edges, key=lambda edge: (edge.source, RANK[edge.operation]))))
        if all(edge.source < index for index, node in enumerate(nodes, NUM_INPUTS) for edge in node):
            spellings.append(tuple(nodes))
    return min(spellings, key=lambda nodes: [key(node) for node in nodes])


@pytest.mark.parametrize("num_nodes", [1, 2, 3, 4, 5])
def test_the_first_spelling_is_that_of_all_orders(num_nodes) -> None:
    rng = np.random.default_rng(num_nodes)
    for _ in range(60):
        cell = random_cell(num_nodes, rng)
        assert canonical_cell(cell, RANK, NOWHERE) == first_of_all(cell)


def test_many_equal_nodes_take_no_time() -> None:
    equal = (Edge(0, "sep3"), Edge(1, "sep3"))
    cell = (*(equal,) * 12, (Edge(5, "skip"), Edge(9, "skip")))
    started = time.process_time()
    assert canonical_cell(cell, RANK, NOWHERE) == (*(equal,) * 12, (Edge(2, "skip"), Edge(3, "skip")))
    assert time.process_time() - started < 1
