"""When two NAS-Bench-201 cells are the same network, over all 15,625 cells."""

from collections import Counter
from functools import cache
from itertools import pairwise, permutations, product

import pytest
from nasbench_toolkit.core.testing import SearchSpaceContract
from nasbench_toolkit.core.testing.network_identity import assert_same_network
from nasbench_toolkit.plugins.datasets import PHOTOS
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import (
    CONVOLUTIONS,
    EDGES,
    OPERATIONS,
    format_arch_str,
    parse_arch_str,
)
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import (
    NUM_NETWORKS,
    canonical_arch_str,
    network_key,
    unique_arch_strs,
)
from nasbench_toolkit.plugins.search_spaces.nasbench201.official import official_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.space import Nasbench201

ALL_CELLS = list(product(OPERATIONS, repeat=len(EDGES)))

# Cells whose official class mixes networks: its representative has another number of convolutions.
SHARED_CONVOLUTION = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_3x3~0|skip_connect~1|nor_conv_3x3~2|"
TWO_CONVOLUTIONS = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
PARAMETERS = {SHARED_CONVOLUTION: 802_426, TWO_CONVOLUTIONS: 559_386}
OFFICIAL_PARAMETERS = {SHARED_CONVOLUTION: 1_045_466, TWO_CONVOLUTIONS: 316_346}


def cell(letters: str) -> tuple[str, ...]:
    """Spell a cell by six letters: none, skip, 1 and 3 for convolutions, pool."""
    return tuple(OPERATIONS["ns13p".index(letter)] for letter in letters)


@cache
def live_convolutions(ops: tuple[str, ...]) -> Counter[str]:
    """Count the convolutions on paths from input to output, found by following all paths."""
    edges = {edge: op for op, edge in zip(ops, EDGES, strict=True) if op != "none"}
    paths = [(0, *nodes, 3) for length in range(3) for nodes in permutations((1, 2), length)]
    steps = [[(target, source) for source, target in pairwise(path)] for path in paths]
    live = {edge for path in steps if all(edge in edges for edge in path) for edge in path}
    return Counter(edges[edge] for edge in live if edges[edge] in CONVOLUTIONS)


def count_parameters(convolutions: Counter[str]) -> int:
    """Count the scalars of the benchmark's network on CIFAR-10 with these convolutions in its cell."""
    stages = (16, 32, 64)
    reductions = [9 * a * b + 2 * b + 9 * b * b + 2 * b + a * b for a, b in pairwise(stages)]
    fixed = 27 * 16 + 2 * 16 + sum(reductions) + 2 * 64 + 64 * 10 + 10
    kernel = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
    return fixed + sum(5 * n * (kernel[op] * c * c + 2 * c) for op, n in convolutions.items() for c in stages)


def built_parameters(arch_id: str) -> int:
    return sum(parameter.numel() for parameter in NASBENCH201.create().build_network(arch_id, PHOTOS).parameters())


def test_all_cells_make_5260_networks():
    networks = {canonical_arch_str(ops) for ops in ALL_CELLS}
    assert len(networks) == NUM_NETWORKS == 5260
    assert networks == set(unique_arch_strs())


def test_canonical_network_has_as_many_live_parameters_in_all_cells():
    for ops in ALL_CELLS:
        assert live_convolutions(parse_arch_str(canonical_arch_str(ops))) == live_convolutions(ops)


def test_canonical_network_has_no_dead_convolution():
    for text in unique_arch_strs():
        ops = parse_arch_str(text)
        assert live_convolutions(ops) == Counter(op for op in ops if op in CONVOLUTIONS)


@pytest.mark.parametrize("text", [*PARAMETERS, *unique_arch_strs()[::750]])
def test_canonical_network_is_built_with_the_live_parameters(text):
    live = count_parameters(live_convolutions(parse_arch_str(text)))
    assert built_parameters(canonical_arch_str(parse_arch_str(text))) == live


@pytest.mark.parametrize("text", list(PARAMETERS), ids=["shared", "two"])
def test_canonical_network_of_a_cell_that_the_official_rule_mixes(text):
    ops = parse_arch_str(text)
    assert built_parameters(text) == built_parameters(canonical_arch_str(ops)) == PARAMETERS[text]
    assert built_parameters(official_arch_str(ops)) == OFFICIAL_PARAMETERS[text]


def test_canonical_arch_str_is_the_first_cell_of_its_network():
    first: dict[str, tuple[str, ...]] = {}
    for ops in ALL_CELLS:
        first.setdefault(network_key(ops), ops)
    assert all(canonical_arch_str(ops) == format_arch_str(first[network_key(ops)]) for ops in ALL_CELLS)


def test_unique_arch_strs_are_canonical_and_ordered():
    cells = [parse_arch_str(text) for text in unique_arch_strs()]
    indices = [tuple(OPERATIONS.index(op) for op in ops) for ops in cells]
    assert indices == sorted(indices)
    assert [canonical_arch_str(ops) for ops in cells] == list(unique_arch_strs())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Edges: 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2.
        pytest.param("snnnsn", "nnnsnn", id="skip-connections"),
        pytest.param("3p1nnn", "nnnnnn", id="nothing-reaches-the-output"),
        pytest.param("n33nn1", "n3nnn1", id="fed-with-zeros"),
        pytest.param("3nnn1n", "n3nnn1", id="order-of-nodes"),
        pytest.param("31nnpp", "13nnpp", id="order-of-terms"),
        pytest.param("ppnn31", "pnsn31", id="two-poolings-or-one-used-twice"),
    ],
)
def test_same_network(first, second):
    assert network_key(cell(first)) == network_key(cell(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("3nnnnn", "3nnnsn", id="dead-or-not"),
        pytest.param("33nnsp", "3nsnsp", id="two-convolutions-or-one-used-twice"),
        pytest.param("snn3sn", "nnn3nn", id="with-the-input-or-without"),
        pytest.param("ssnnss", "snnnsn", id="twice-or-once"),
        pytest.param("3ssnnp", "3nnppn", id="pooled-sum-or-sum-of-pooled"),
    ],
)
def test_other_network(first, second):
    assert network_key(cell(first)) != network_key(cell(second))


@pytest.mark.parametrize("text", list(PARAMETERS), ids=["shared", "two"])
def test_canonical_network_computes_the_same_in_the_benchmarks_size(text):
    space = NASBENCH201.create()
    assert_same_network(space, text, space.canonicalize(text))


class OfficialRule(Nasbench201):
    """The space as it would be under the benchmark's rule."""

    def canonicalize(self, text):
        return official_arch_str(parse_arch_str(text))


@pytest.mark.parametrize("text", list(PARAMETERS), ids=["shared", "two"])
def test_contract_refuses_the_official_rule(text):
    class Contract(SearchSpaceContract):
        compared_network = "narrow"

        def make_space(self):
            return OfficialRule(NASBENCH201)

        def spellings(self):
            return [text]

    with pytest.raises(AssertionError, match="are not the same network: .* live parameters"):
        Contract().test_canonical_string_is_the_same_network()


def test_contract_refuses_the_official_rule_on_spellings_of_its_own():
    class Contract(SearchSpaceContract):
        compared_network, samples = "narrow", 40

        def make_space(self):
            return OfficialRule(NASBENCH201)

    with pytest.raises(AssertionError, match="are not the same network"):
        Contract().test_canonical_string_is_the_same_network()
