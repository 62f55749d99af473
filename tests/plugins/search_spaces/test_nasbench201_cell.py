from itertools import product

import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import (
    EDGES,
    OPERATIONS,
    canonical_arch_str,
    expression_key,
    format_arch_str,
    parse_arch_str,
    unique_arch_strs,
    unique_key,
)

NEEDS_XAUTODL = "run 'pip install --no-deps xautodl==1.0.0'"

ARCH_13714 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
ALL_CELLS = list(product(OPERATIONS, repeat=len(EDGES)))


def test_parse_arch_str_reads_edges_in_order():
    assert parse_arch_str(ARCH_13714) == (
        "nor_conv_3x3",
        "nor_conv_3x3",
        "nor_conv_3x3",
        "skip_connect",
        "nor_conv_1x1",
        "nor_conv_3x3",
    )


def test_format_arch_str_inverts_parse():
    assert all(parse_arch_str(format_arch_str(ops)) == ops for ops in ALL_CELLS[::97])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("|none~0|+|none~0|none~1|", "2 '.'-separated groups, expected 3", id="two-groups"),
        pytest.param("", "1 '.'-separated groups", id="empty"),
        pytest.param("|none~0|+|none~0|+|none~0|none~1|none~2|", r"group 2 is '\|none~0\|', expected 2", id="short"),
        pytest.param("none~0+|none~0|none~1|+|none~0|none~1|none~2|", "group 1 is 'none~0'", id="no-bars"),
        pytest.param("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "'none~1' in group 2 must end", id="order"),
        pytest.param("|none|+|none~0|none~1|+|none~0|none~1|none~2|", "'none' in group 1 must end", id="no-source"),
        pytest.param(
            "|max_pool~0|+|none~0|none~1|+|none~0|none~1|none~2|",
            "unknown operation 'max_pool' on edge 1<-0; choose from none, skip_connect",
            id="operation",
        ),
    ],
)
def test_parse_arch_str_refuses(text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        parse_arch_str(text)


@pytest.mark.parametrize("function", [format_arch_str, unique_key, expression_key, canonical_arch_str])
@pytest.mark.parametrize(
    ("ops", "message"),
    [
        pytest.param(("none",) * 5, "6 operations, one per edge; got 5", id="five"),
        pytest.param(("none",) * 5 + ("conv",), "operation 'conv'; choose from none", id="unknown"),
    ],
)
def test_cell_functions_refuse(function, ops, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        function(ops)


def test_keys_make_the_published_numbers_of_classes():
    # 6,466: Dong & Yang 2020, section 2.1; 4,930 with 341 dead cells: derived without this code.
    assert len({unique_key(ops) for ops in ALL_CELLS}) == 6466
    expressions = [expression_key(ops) for ops in ALL_CELLS]
    assert len(set(expressions)) == 4930
    assert expressions.count("#") == 341


def test_expression_classes_are_unions_of_official_classes():
    pairs = {(unique_key(ops), expression_key(ops)) for ops in ALL_CELLS}
    assert len(pairs) == 6466


def test_unique_key_agrees_with_the_benchmark_authors_package():
    genotypes = pytest.importorskip("xautodl.models.cell_searchs.genotypes", reason=NEEDS_XAUTODL)
    for ops in ALL_CELLS[::7]:
        structure = genotypes.Structure.str2structure(format_arch_str(ops))
        assert unique_key(ops) == structure.to_unique_str(True)


def test_expression_key_is_zero_exactly_where_no_path_leads_to_the_output():
    for ops in ALL_CELLS:
        reached = {0}
        for op, (target, source) in sorted(zip(ops, EDGES, strict=True), key=lambda item: item[1]):
            if op != "none" and source in reached:
                reached.add(target)
        assert (expression_key(ops) == "#") == (3 not in reached)


def test_unique_arch_strs_are_canonical_and_ordered():
    cells = [parse_arch_str(text) for text in unique_arch_strs()]
    indices = [tuple(OPERATIONS.index(op) for op in ops) for ops in cells]
    assert indices == sorted(indices)
    assert [canonical_arch_str(ops) for ops in cells] == list(unique_arch_strs())


def test_canonical_arch_str_is_the_first_member_of_its_class():
    first = {}
    for ops in ALL_CELLS:
        first.setdefault(unique_key(ops), ops)
    assert all(canonical_arch_str(ops) == format_arch_str(first[unique_key(ops)]) for ops in ALL_CELLS)
