"""The benchmark's own rule of equal cells, and how it differs from the network of a cell."""

from collections import Counter, defaultdict
from itertools import product

import pytest
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import (
    EDGES,
    OPERATIONS,
    format_arch_str,
    parse_arch_str,
)
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import canonical_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.official import (
    official_arch_str,
    official_arch_strs,
    official_key,
)

NEEDS_XAUTODL = "run 'pip install --no-deps xautodl==1.0.0'"

ALL_CELLS = list(product(OPERATIONS, repeat=len(EDGES)))


def test_official_key_makes_the_published_number_of_classes():
    # Dong & Yang 2020, section 2.1.
    assert len({official_key(ops) for ops in ALL_CELLS}) == 6466


def test_official_key_agrees_with_the_benchmark_authors_package():
    genotypes = pytest.importorskip("xautodl.models.cell_searchs.genotypes", reason=NEEDS_XAUTODL)
    for ops in ALL_CELLS[::7]:
        structure = genotypes.Structure.str2structure(format_arch_str(ops))
        assert official_key(ops) == structure.to_unique_str(True)


def test_official_arch_strs_are_representatives_in_order():
    cells = [parse_arch_str(text) for text in official_arch_strs()]
    indices = [tuple(OPERATIONS.index(op) for op in ops) for ops in cells]
    assert len(indices) == 6466
    assert indices == sorted(indices)
    assert [official_arch_str(ops) for ops in cells] == list(official_arch_strs())


def test_official_arch_str_is_the_first_member_of_its_class():
    first = {}
    for ops in ALL_CELLS:
        first.setdefault(official_key(ops), ops)
    assert all(official_arch_str(ops) == format_arch_str(first[official_key(ops)]) for ops in ALL_CELLS)


def test_official_classes_mix_and_split_networks():
    cells_of, networks_of, classes_of = defaultdict(list), defaultdict(set), defaultdict(set)
    for ops in ALL_CELLS:
        key, network = official_key(ops), canonical_arch_str(ops)
        cells_of[key].append(ops)
        networks_of[key].add(network)
        classes_of[network].add(key)
    assert Counter(len(networks) for networks in networks_of.values()) == {1: 6036, 2: 426, 3: 4}
    assert sum(len(cells_of[key]) for key, networks in networks_of.items() if len(networks) > 1) == 1786
    assert sum(len(classes) > 1 for classes in classes_of.values()) == 688
