import csv
import gzip
import hashlib
from pathlib import Path

import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import format_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.other_spellings import numbered_cells, parse_cell

DATA = Path(__file__).parents[3] / "../shared/data"
# What the authors' code asserts of its numbering.
FIRST = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
NINTH = "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


def test_cells_have_the_numbers_of_the_benchmark():
    assert format_arch_str(parse_cell("0")) == FIRST
    assert format_arch_str(parse_cell("9")) == NINTH
    cells = "\n".join(format_arch_str(ops) for ops in numbered_cells())
    # Of the 15,625 lines of the benchmark's own list.
    assert hashlib.sha256(cells.encode()).hexdigest().startswith("83abc799e45cf34e9d2163654668ab99")


@pytest.mark.skipif(not DATA.is_dir(), reason="reads NAS-Bench-201's and NATS-Bench's numbers in ../shared/data")
def test_numbers_are_those_of_the_published_lists():
    with gzip.open(DATA / "nasbench201/nasbench201.csv.gz", "rt") as file:
        listed = [row["architecture"] for row in csv.DictReader(file)]
    assert [format_arch_str(ops) for ops in numbered_cells()] == listed
    with (DATA / "nats-bench/nats_topology_3.csv").open() as file:
        numbered = {row["arch_index"]: row["architecture"] for row in csv.DictReader(file)}
    assert {number: format_arch_str(parse_cell(number)) for number in numbered} == numbered


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        # From the documentation of a program that works on NASLib's cells.
        (
            "(4, 0, 3, 1, 4, 3)",
            "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|",
        ),
        (
            "[0, 1, 2, 3, 4, 0]",
            "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|",
        ),
    ],
)
def test_naslib_indices_have_its_order_of_operations_and_edges(text, cell):
    assert format_arch_str(parse_cell(text)) == cell
    space = NASBENCH201.create()
    assert space.canonicalize(text) == space.canonicalize(cell)
    assert space.cell_graphs(text) == space.cell_graphs(cell)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("15625", "'15625': its cells are numbered from 0 to 15624"),
        ("-1", "'-1': its cells are numbered from 0 to 15624"),
        ("(4, 0, 3, 1, 4)", "has 5 numbers. NASLib writes a cell as 6 indices"),
        ("(4, 0, 5, 1, 4, 3)", "index 5 at position 3 is no operation of NASLib: 0 skip_connect, 1 none, 2 nor_conv"),
        ("4 0 3 1 4 3", "1 '.'-separated groups, expected 3"),
    ],
)
def test_numbers_out_of_range_are_refused(text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        parse_cell(text)
