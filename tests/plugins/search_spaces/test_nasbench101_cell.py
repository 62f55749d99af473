import random

import numpy as np
import pytest
from nasbench_pytorch.model import ModelSpec
from nasbench_pytorch.model.graph_util import hash_module
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import (
    OPERATIONS,
    Cell,
    module_hash,
    parse_cell,
    prune,
    vertex_pairs,
)

CONV3X3, CONV1X1, MAXPOOL = OPERATIONS

DIAMOND = "110011:conv3x3-bn-relu,maxpool3x3"


def random_cell(rng, num_vertices):
    edges = tuple(pair for pair in vertex_pairs(num_vertices) if rng.random() < 0.4)
    return Cell(num_vertices, edges, tuple(rng.choice(OPERATIONS) for _ in range(num_vertices - 2)))


def reference_spec(cell):
    """The same cell in the independent package."""
    matrix = np.zeros((cell.num_vertices, cell.num_vertices), int)
    for source, target in cell.edges:
        matrix[source, target] = 1
    return ModelSpec(matrix, ["input", *cell.ops, "output"])


def prune_or_none(cell):
    try:
        return prune(cell)
    except InvalidArchitectureError:
        return None


def test_parse_cell_reads_rows_of_the_upper_triangle():
    assert parse_cell("101011:conv3x3-bn-relu,maxpool3x3") == Cell(
        4, ((0, 1), (0, 3), (1, 3), (2, 3)), (CONV3X3, MAXPOOL)
    )


def test_parse_cell_without_interior_vertex():
    assert parse_cell("1:") == Cell(2, ((0, 1),), ())


@pytest.mark.parametrize("num_vertices", range(2, 8))
def test_cell_text_round_trip(num_vertices):
    rng = random.Random(num_vertices)
    for _ in range(20):
        cell = random_cell(rng, num_vertices)
        assert parse_cell(str(cell)) == cell


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "'': has no ':'; expected BITS:OPS", id="empty"),
        pytest.param("111", "'111': has no ':'; expected BITS:OPS", id="no-colon"),
        pytest.param("1x1:maxpool3x3", "character 2 is 'x'; before the ':' only 0 and 1", id="bit"),
        pytest.param("1_1:maxpool3x3", "character 2 is '_'", id="underscore"),
        pytest.param("٠11:maxpool3x3", "character 1 is '٠'", id="arabic-digit"),
        pytest.param(" 111:maxpool3x3", "character 1 is ' '", id="leading-space"),
        pytest.param("1111:maxpool3x3", "has 4 bits before the ':'; .* one of 1, 3, 6, 10, 15, 21 bits", id="length"),
        pytest.param("1" * 28 + ":" + "maxpool3x3," * 5 + "maxpool3x3", "has 28 bits", id="eight-vertices"),
        pytest.param("111:", r"has 0 operation\(s\) after the ':', expected 1", id="no-operation"),
        pytest.param("1::", r"has 1 operation\(s\) after the ':', expected 0", id="second-colon"),
        pytest.param("111:maxpool3x3,", r"has 2 operation\(s\) after the ':', expected 1", id="comma"),
        pytest.param(
            "110011:maxpool3x3,conv3x3", "unknown operation 'conv3x3' at vertex 2. Did you mean .*'conv3x3-bn-relu'",
            id="close-operation",
        ),
        pytest.param(
            "111:zero", "unknown operation 'zero' at vertex 1. Choose from conv3x3-bn-relu, conv1x1", id="operation"
        ),
        pytest.param("111:maxpool3x3 ", "unknown operation 'maxpool3x3 '", id="trailing-space"),
    ],
)  # fmt: skip
def test_parse_cell_refuses(text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        parse_cell(text)


def test_parse_cell_shortens_a_huge_text_in_its_message():
    with pytest.raises(InvalidArchitectureError, match=r"has 1000000 bits") as caught:
        parse_cell("1" * 1_000_000 + ":")
    assert len(str(caught.value)) < 500


def test_prune_leaves_out_dangling_vertices():
    # Vertex 2 is not reachable, vertex 3 leads nowhere.
    cell = Cell(6, ((0, 1), (0, 3), (1, 4), (2, 4), (4, 5)), (CONV3X3, MAXPOOL, MAXPOOL, CONV1X1))
    assert prune(cell) == Cell(4, ((0, 1), (1, 2), (2, 3)), (CONV3X3, CONV1X1))


def test_prune_keeps_a_whole_cell():
    assert prune(parse_cell(DIAMOND)) == parse_cell(DIAMOND)


def test_prune_agrees_with_the_independent_package():
    rng = random.Random(1)
    cells = [random_cell(rng, rng.randint(2, 7)) for _ in range(200)]
    kept = [(cell, pruned) for cell in cells if (pruned := prune_or_none(cell))]
    assert len(kept) > 100
    for cell, pruned in kept:
        spec = reference_spec(cell)
        assert [tuple(edge) for edge in spec.matrix.nonzero().tolist()] == list(pruned.edges)
        assert spec.ops[1:-1] == list(pruned.ops)


def test_prune_refuses_a_cell_without_a_path():
    with pytest.raises(InvalidArchitectureError, match="'100:maxpool3x3': no path leads from"):
        prune(parse_cell("100:maxpool3x3"))


def test_prune_refuses_ten_edges():
    with pytest.raises(InvalidArchitectureError, match="has 10 edges on paths from input to output; .* allows 9"):
        prune(Cell(5, vertex_pairs(5), (MAXPOOL,) * 3))


def test_prune_counts_the_edges_that_matter():
    # Ten edges of which one, into vertex 4, is a dead end.
    nine = tuple(pair for pair in vertex_pairs(5) if pair != (1, 2))
    moved = tuple((source, 5 if target == 4 else target) for source, target in nine)
    cell = Cell(6, tuple(sorted((*moved, (0, 4)))), (MAXPOOL,) * 4)
    assert len(cell.edges) == 10
    assert prune(cell) == Cell(5, nine, (MAXPOOL,) * 3)


def test_module_hash_of_a_row_of_the_official_table():
    text = "100110100001001010101:conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu"
    assert module_hash(prune(parse_cell(text))) == "00005c142e6f48ac74fdcf73e3439874"


def test_module_hash_agrees_with_the_independent_package():
    rng = random.Random(2)
    for _ in range(50):
        cell = random_cell(rng, rng.randint(2, 7))
        matrix = [[int((s, t) in cell.edges) for t in range(cell.num_vertices)] for s in range(cell.num_vertices)]
        labels = [-1, *(OPERATIONS.index(op) for op in cell.ops), -2]
        assert module_hash(cell) == hash_module(np.array(matrix), labels)
