from itertools import product

import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import (
    EDGES,
    OPERATIONS,
    format_arch_str,
    parse_arch_str,
)
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import canonical_arch_str, live_ops, network_key
from nasbench_toolkit.plugins.search_spaces.nasbench201.official import official_arch_str, official_key

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


@pytest.mark.parametrize(
    "function", [format_arch_str, live_ops, network_key, canonical_arch_str, official_key, official_arch_str]
)
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
