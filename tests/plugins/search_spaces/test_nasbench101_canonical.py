import csv
import gzip
import random
from collections import Counter
from itertools import islice, permutations
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nasbench101.canonical import canonical_texts
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import (
    NUM_CELLS,
    OPERATIONS,
    Cell,
    module_hash,
    parse_cell,
    prune,
    vertex_pairs,
)
from nasbench_toolkit.plugins.search_spaces.nasbench101.encoding import encode, prune_many
from nasbench_toolkit.plugins.search_spaces.nasbench101.enumeration import all_cells, sample_cells
from nasbench_toolkit.plugins.search_spaces.nasbench101.parameters import count_trainable_parameters

OFFICIAL_TABLE = Path(__file__).parents[3] / "../shared/data/nasbench101/nasbench101.csv.gz"


@pytest.fixture(scope="module")
def official_rows():
    """Return 5,000 random rows of the benchmark's table."""
    if not OFFICIAL_TABLE.exists():
        pytest.skip("reads NAS-Bench-101's table in ../shared/data")
    with gzip.open(OFFICIAL_TABLE, "rt") as file:
        rows = list(csv.DictReader(file))
    return random.Random(0).sample(rows, 5000)


def random_valid_cells(count, num_vertices):
    rng = random.Random(num_vertices)
    cells = []
    while len(cells) < count:
        edges = tuple(pair for pair in vertex_pairs(num_vertices) if rng.random() < 0.4)
        cell = Cell(num_vertices, edges, tuple(rng.choice(OPERATIONS) for _ in range(num_vertices - 2)))
        try:
            prune(cell)
        except InvalidArchitectureError:
            continue
        cells.append(cell)
    return cells


def renumberings(cell):
    """All spellings of a cell, by trying every order of its interior vertices."""
    interior = range(1, cell.num_vertices - 1)
    for order in permutations(interior):
        number = {0: 0, cell.output: cell.output, **dict(zip(interior, order, strict=True))}
        edges = [(number[source], number[target]) for source, target in cell.edges]
        if all(source < target for source, target in edges):
            old = {new: vertex for vertex, new in number.items()}
            yield Cell(cell.num_vertices, tuple(sorted(edges)), tuple(cell.ops[old[v] - 1] for v in interior))


def generation_key(cell):
    """Where the benchmark's generator, which counts through integers and then through labels, meets a cell."""
    bits = sum(1 << (source + target * (target - 1) // 2) for source, target in cell.edges)
    return bits, [OPERATIONS.index(op) for op in cell.ops]


@pytest.mark.parametrize("num_vertices", range(2, 8))
def test_canonical_text_is_the_first_spelling_that_the_benchmark_generates(num_vertices):
    cells = random_valid_cells(40, num_vertices)
    expected = [str(min(renumberings(prune(cell)), key=generation_key)) for cell in cells]
    assert canonical_texts([str(cell) for cell in cells]) == expected


def test_canonical_text_is_the_same_for_every_renumbering():
    for cell in random_valid_cells(20, 7):
        spellings = [str(spelling) for spelling in renumberings(prune(cell))]
        assert len(set(canonical_texts(spellings))) == 1


def test_canonical_text_ignores_vertices_that_do_not_matter():
    cell = Cell(5, ((0, 1), (0, 3), (1, 4), (3, 4)), (OPERATIONS[2], OPERATIONS[0], OPERATIONS[1]))
    dead_end = Cell(7, ((0, 1), (0, 3), (0, 5), (1, 6), (2, 6), (3, 5), (3, 6)), (*cell.ops, *OPERATIONS[:2]))
    assert canonical_texts([str(cell)]) == canonical_texts([str(dead_end)])


def test_canonical_texts_differ_where_hashes_differ():
    cells = [prune(cell) for cell in random_valid_cells(500, 5)]
    texts = canonical_texts([str(cell) for cell in cells])
    hashes = [module_hash(cell) for cell in cells]
    assert len(set(texts)) == len(set(hashes)) == len(set(zip(texts, hashes, strict=True))) < len(cells)


def test_canonical_texts_keep_the_order_of_mixed_sizes():
    texts = ["111:maxpool3x3", "1:", "101011:maxpool3x3,conv3x3-bn-relu", "1:"]
    assert canonical_texts(texts) == ["111:maxpool3x3", "1:", "111:maxpool3x3", "1:"]


def test_canonical_texts_of_nothing():
    assert canonical_texts([]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("1_1:maxpool3x3", "character 2 is '_'", id="bit"),
        pytest.param("111:conv5x5", "unknown operation 'conv5x5'", id="operation"),
        pytest.param("111:", r"has 0 operation\(s\)", id="no-operation"),
        pytest.param("1", "has no ':'", id="no-colon"),
        pytest.param("100:maxpool3x3", "'100:maxpool3x3': no path leads", id="no-path"),
        pytest.param("1" * 10 + ":maxpool3x3,maxpool3x3,maxpool3x3", "has 10 edges on paths", id="ten-edges"),
    ],
)
def test_canonical_texts_name_the_bad_one(text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        canonical_texts(["1:", "101011:maxpool3x3,conv3x3-bn-relu", text])


def test_canonical_texts_refuse_or_take_every_mutilated_text():
    rng = random.Random(3)
    outcomes = Counter()
    for cell in random_valid_cells(300, 5) * 5:
        characters = list(str(cell))
        for _ in range(rng.randint(1, 3)):
            characters[rng.randrange(len(characters))] = rng.choice(
                ["0", "1", ":", ",", "", "x", "\x00", "\ud800", "²"]
            )
        text = "".join(characters)
        try:
            assert canonical_texts([text]) == [str(min(renumberings(prune(parse_cell(text))), key=generation_key))]
            outcomes["taken"] += 1
        except InvalidArchitectureError as error:
            assert str(error).startswith("NAS-Bench-101 cell ")
            outcomes["refused"] += 1
    assert min(outcomes["taken"], outcomes["refused"]) > 20


@pytest.mark.parametrize("num_vertices", range(2, 8))
def test_batch_is_pruned_like_single_cells(num_vertices):
    cells = random_valid_cells(100, num_vertices)
    (batch,) = encode([str(cell) for cell in cells])
    sizes = {int(row): part.num_vertices for part in prune_many(batch) for row in part.rows}
    assert sizes == {row: prune(cell).num_vertices for row, cell in enumerate(cells)}


@pytest.fixture(scope="module")
def whole_space():
    return list(all_cells())


def test_whole_space_has_the_benchmarks_size(whole_space):
    assert len(whole_space) == len(set(whole_space)) == NUM_CELLS


def test_whole_space_is_canonical(whole_space):
    some = whole_space[:: NUM_CELLS // 2000]
    assert canonical_texts(some) == some


def test_whole_space_is_in_the_order_of_the_benchmarks_generator(whole_space):
    cells = [parse_cell(text) for text in islice(whole_space, 0, None, 1000)]
    keys = [(cell.num_vertices, *generation_key(cell)) for cell in cells]
    assert keys == sorted(keys)


def test_sample_cells_are_distinct_members_of_the_space(whole_space):
    sample = sample_cells(3000, np.random.default_rng(0))
    assert len(set(sample)) == 3000
    assert set(sample) <= set(whole_space)


def test_sample_cells_of_everything_is_everything(whole_space):
    assert set(sample_cells(NUM_CELLS, np.random.default_rng(0))) == set(whole_space)


def test_sample_cells_are_uniform(whole_space):
    # A chi-square statistic of k classes has mean k - 1 and standard deviation sqrt(2 (k - 1)).
    def classify(text):
        bits, ops = text.split(":")
        return len(bits), bits.count("1"), ops.count(OPERATIONS[0])

    count = 20_000
    expected = Counter(map(classify, whole_space))
    observed = Counter(map(classify, sample_cells(count, np.random.default_rng(1))))
    common = [key for key in expected if expected[key] * count / NUM_CELLS >= 5]
    statistic = sum(
        (observed[key] - expected[key] * count / NUM_CELLS) ** 2 / (expected[key] * count / NUM_CELLS) for key in common
    )
    degrees = len(common) - 1
    assert degrees > 20
    assert statistic < degrees + 4 * (2 * degrees) ** 0.5


def test_whole_space_is_the_official_tables(official_rows, whole_space):
    assert {row["architecture"] for row in official_rows} <= set(whole_space)


def test_canonical_texts_are_the_official_tables_spellings(official_rows):
    texts = [row["architecture"] for row in official_rows]
    assert canonical_texts(texts) == texts


def test_module_hash_is_the_official_tables(official_rows):
    assert all(module_hash(prune(parse_cell(row["architecture"]))) == row["module_hash"] for row in official_rows)


def test_trainable_parameters_are_the_official_tables(official_rows):
    counted = count_trainable_parameters([row["architecture"] for row in official_rows])
    assert counted.tolist() == [int(row["trainable_parameters"]) for row in official_rows]
