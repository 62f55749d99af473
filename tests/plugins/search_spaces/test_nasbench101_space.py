import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.errors import InvalidArchitectureError, SampleSizeError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.plugins.datasets import PHOTOS
from nasbench_toolkit.plugins.search_spaces import NASBENCH101
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH101_SOURCE
from nasbench_toolkit.plugins.search_spaces.nasbench101 import space as space_module
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import OPERATIONS, Cell, parse_cell, prune, vertex_pairs
from nasbench_toolkit.plugins.search_spaces.nasbench101.mutation import embed
from nasbench_toolkit.plugins.search_spaces.nasbench101.recorded_cells import mutate_among

CELLS = ("1:", "111:maxpool3x3", "111:conv3x3-bn-relu", "110011:conv3x3-bn-relu,maxpool3x3")


@pytest.fixture
def space():
    return NASBENCH101.create()


@pytest.fixture
def import_cells(tmp_path):
    """Import a table of some cells as the user's."""

    def run(cells):
        path = tmp_path / "cells.csv"
        rows = [f'"{cell}",{90 + row}' for row, cell in enumerate(cells)]
        path.write_text("\n".join(["architecture,cifar10/test_accuracy@108", *rows]))
        return import_data(NASBENCH101_SOURCE.create(), path, lambda done, total: None)

    return run


def test_size(space):
    assert space.size == 423_624


def test_sample_is_canonical_and_decided_by_the_generator(space):
    first, second = (space.sample(200, np.random.default_rng(7)) for _ in range(2))
    assert first == second
    assert first != space.sample(200, np.random.default_rng(8))
    assert space.canonicalize_many(first) == first


def test_sample_larger_than_the_space(space):
    with pytest.raises(SampleSizeError, match="has 423,624 architectures, 423,625 were asked for"):
        space.sample(423_625, np.random.default_rng(0))


def test_canonicalize_isomorphic_cells(space):
    assert space.canonicalize("110011:maxpool3x3,conv3x3-bn-relu") == space.canonicalize(
        "110011:conv3x3-bn-relu,maxpool3x3"
    )


def test_canonicalize_refuses_other_text(space):
    with pytest.raises(InvalidArchitectureError, match="unknown operation 'conv5x5'"):
        space.canonicalize("111:conv5x5")


@pytest.mark.parametrize(
    ("variant", "count"),
    # 128 channels: row of the benchmark's table; 16 channels: counted with the independent package.
    [("benchmark", 8_555_530), ("stem16", 136_714), ("gennas", 136_714), ("reference", 8_555_530)],
)
def test_build_network_of_each_variant(space, variant, count):
    cell = "100110100001001010101:conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu"
    network = space.build_network(cell, PHOTOS, variant)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_ground_truth_is_none_without_a_table(space):
    assert space.ground_truth() is None


def test_ground_truth_of_an_imported_table(space, import_cells):
    import_cells(CELLS)
    table = space.ground_truth()
    assert [metric.key for metric in table.metrics] == ["cifar10/test_accuracy@108"]
    assert table.values(table.metrics[0], CELLS) == [90.0, 91.0, 92.0, 93.0]


def test_partial_table_is_what_is_sampled(space, import_cells):
    import_cells(CELLS[:3])
    assert space.size == 3
    assert space.sampling == "uniform over the 3 cells of the imported table, without replacement"
    assert set(space.sample(3, np.random.default_rng(0))) == set(CELLS[:3])
    assert space.canonicalize(CELLS[3]) == CELLS[3]


def test_mutants_are_cells_of_a_partial_table(space, import_cells, monkeypatch):
    import_cells(CELLS[:3])
    for cell in CELLS[:3]:
        mutants = {space.mutate(cell, np.random.default_rng(seed)) for seed in range(30)}
        assert mutants == set(CELLS[:3]) - {cell}
    assert space.mutate(CELLS[3], np.random.default_rng(0)) in CELLS[:3]
    assert space.neighbours(CELLS[0]) is None


def test_a_mutant_of_a_partial_table_is_the_nearest_cell(monkeypatch):
    monkeypatch.setattr("nasbench_toolkit.plugins.search_spaces.other_records.DRAWN_SHARE", 1.0)
    ops = "conv3x3-bn-relu,maxpool3x3"
    parent = f"110101:{ops}"
    # One edge more, another operation and one edge more, two edges and an operation.
    near, further, far = f"111101:{ops}", "111101:conv1x1-bn-relu,maxpool3x3", "101:conv3x3-bn-relu"
    rng = np.random.default_rng(0)
    assert mutate_among([far, further, near, parent], parent, rng) == near
    assert mutate_among([far, further, parent], parent, rng) == further
    assert mutate_among([parent], parent, rng) == parent


@pytest.mark.parametrize("strategy", ["local-search", "regularized-evolution:population_size=5,tournament_size=3"])
def test_a_search_stays_within_a_partial_table(import_cells, tmp_path, run_nasbench, strategy):
    cells = NASBENCH101.create().sample(10, np.random.default_rng(0))
    import_cells(cells)
    output = tmp_path / "search.h5"
    done = run_nasbench("search", "--space", "nasbench101", "-e", "oracle", "-s", strategy, "-n", 40, "-o", output)
    assert done.returncode == 0, done.stderr
    results = read_results(output)
    assert set(results.arch_ids) <= set(cells)
    assert len(results.arch_ids) == 10
    assert all(record.status is Status.OK for record in results.evaluators[0].records)


def test_complete_table_does_not_change_the_sample(space, import_cells, monkeypatch):
    expected = space.sample(20, np.random.default_rng(0))
    import_cells(CELLS[:3])
    monkeypatch.setattr(space_module, "NUM_CELLS", 3)
    assert NASBENCH101.create().sampling == "uniform over the space, without replacement"
    monkeypatch.undo()
    assert space.sample(20, np.random.default_rng(0)) == expected


def test_embed_adds_vertices_before_the_output():
    cell = Cell(4, ((0, 1), (0, 3), (1, 2), (2, 3)), OPERATIONS[:2])
    embedded = embed(cell, np.random.default_rng(0))
    assert embedded.num_vertices == 7
    assert embedded.edges == ((0, 1), (0, 6), (1, 2), (2, 6))
    assert embedded.ops[:2] == cell.ops
    assert prune(embedded) == cell


def test_embed_keeps_a_cell_of_seven_vertices():
    cell = parse_cell("100110100001001010101:" + ",".join([OPERATIONS[0]] * 5))
    assert embed(cell, np.random.default_rng(0)) == cell


def test_mutation_rates(space):
    # Nearly every mutation is valid that keeps the edge from input to output, so the other edges flip independently.
    rng = np.random.default_rng(0)
    parent = Cell(7, ((0, 6), (1, 2)), (OPERATIONS[1],) * 5)
    children = [parse_cell(space.mutate(str(parent), rng)) for _ in range(4000)]
    flips = Counter(pair for child in children for pair in set(parent.edges) ^ set(child.edges))
    shares = [flips[pair] / len(children) for pair in vertex_pairs(7) if pair != (0, 6)]
    assert shares == pytest.approx([1 / 7] * 20, abs=0.03)
    assert sum(shares) / 20 == pytest.approx(1 / 7, abs=0.006)
    ops = Counter(op for child in children for op in child.ops)
    assert [ops[op] / (5 * len(children)) for op in OPERATIONS] == pytest.approx([1 / 10, 4 / 5, 1 / 10], abs=0.015)


def test_mutation_gives_valid_cells_of_seven_vertices(space):
    rng = np.random.default_rng(1)
    text = "1:"
    for _ in range(200):
        text = space.mutate(text, rng)
        assert parse_cell(text).num_vertices == 7
        assert len(prune(parse_cell(text)).edges) <= 9


def test_mutation_takes_up_vertices_that_did_not_matter(space):
    # An edge to a vertex that is pruned brings in the operation that the spelling kept there.
    rng = np.random.default_rng(2)
    parent = str(Cell(7, ((0, 6),), (OPERATIONS[2],) * 5))
    children = [prune(parse_cell(space.mutate(parent, rng))) for _ in range(300)]
    ops = Counter(op for child in children for op in child.ops)
    assert ops[OPERATIONS[2]] > 2 * (ops[OPERATIONS[0]] + ops[OPERATIONS[1]]) > 0


def test_mutation_is_decided_by_the_generator(space):
    first, second = (space.mutate(CELLS[3], np.random.default_rng(3)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("text", "message"), [("resnet", "has no ':'"), ("100:maxpool3x3", "no path leads")], ids=["text", "no-path"]
)
def test_mutation_refuses_what_is_no_cell(space, text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        space.mutate(text, np.random.default_rng(0))


NINE_EDGES = "100110100001001010101:" + ",".join([OPERATIONS[0]] * 5)


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        # Input to output alone: that edge must stay, each of the 20 others may come. Seven vertices, nine edges, all on
        # paths, two of which are disjoint (0-1-2-6 and 0-5-6): each of the nine may go, none may come.
        ("1:", 20),
        (NINE_EDGES, 9),
        # A chain 0-1-2-6 (vertices 3 to 5 have no edges): each of the three must stay, each of the 18 others may come.
        ("100101:maxpool3x3,conv1x1-bn-relu", 18),
    ],
)
def test_neighbours_of_hand_checked_cells(space, text, edges):
    cells = [parse_cell(neighbour) for neighbour in space.neighbours(text)]
    padded = parse_cell(text).ops + (OPERATIONS[0],) * 5
    assert sum(cell.ops == padded[:5] for cell in cells) == edges
    assert len(set(cells)) == len(cells) == edges + 10


def test_neighbours_are_all_valid_cells_that_differ_in_one_decision(space):
    rng = np.random.default_rng(4)
    spellings = [space.mutate(text, rng) for text in space.sample(30, rng)]
    for text in spellings:
        cell = parse_cell(text)
        expected = []
        for pair in vertex_pairs(7):
            expected.append(Cell(7, tuple(sorted(set(cell.edges) ^ {pair})), cell.ops))
        for vertex in range(5):
            for op in OPERATIONS:
                expected.append(Cell(7, cell.edges, (*cell.ops[:vertex], op, *cell.ops[vertex + 1 :])))
        expected = [str(other) for other in expected if other != cell and is_valid(space, str(other))]
        assert space.neighbours(text) == expected


def is_valid(space, text):
    try:
        space.canonicalize(text)
    except InvalidArchitectureError:
        return False
    return True


def test_neighbours_take_up_vertices_that_did_not_matter(space):
    # Vertex 1 has an edge from the input and the operation maxpool; one edge to the output brings it in.
    text = str(Cell(7, ((0, 1), (0, 6)), (OPERATIONS[2],) + (OPERATIONS[0],) * 4))
    canonical = space.canonicalize_many(space.neighbours(text))
    assert space.canonicalize("111:maxpool3x3") in canonical
    # What changes a vertex that does not matter is the same cell.
    assert canonical.count(space.canonicalize(text)) >= 10


def test_neighbours_refuse_what_is_no_cell(space):
    with pytest.raises(InvalidArchitectureError, match="no path leads"):
        space.neighbours("100:maxpool3x3")


def test_local_search_climbs_over_neighbours(space):
    info = installed_plugins().search_strategy("local-search").info
    climber = info.create(space, info.settings(), 0)
    proposed, fitness = [], []
    for _ in range(120):
        proposed += climber.ask(1)
        fitness.append(float(prune(parse_cell(proposed[-1])).ops.count(OPERATIONS[0])))
        climber.tell(proposed[-1], fitness[-1])
    first = len(set(space.canonicalize_many(space.neighbours(proposed[0]))) - {proposed[0]})
    assert set(proposed[1 : first + 1]) <= set(space.neighbours(proposed[0]))
    best = proposed[int(np.argmax(fitness[: first + 1]))]
    assert proposed[first + 1] in space.neighbours(best)
    assert max(fitness) > max(fitness[: first + 1])


def test_sampling_does_not_import_torch():
    code = (
        "import sys, numpy;"
        "from nasbench_toolkit.plugins.search_spaces import NASBENCH101;"
        "space = NASBENCH101.create(); space.sample(5, numpy.random.default_rng(0)); space.ground_truth();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
