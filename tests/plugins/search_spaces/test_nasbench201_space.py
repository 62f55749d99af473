import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from nasbench_toolkit.benchmarks_data.nasbench201_tiny import TABLE_PATH, TinyTable
from nasbench_toolkit.core.domain import Direction
from nasbench_toolkit.core.errors import (
    InvalidArchitectureError,
    PluginError,
    SampleSizeError,
    UnsupportedSearchSpaceError,
)
from nasbench_toolkit.core.interfaces import SearchSpace
from nasbench_toolkit.plugins.datasets import MNIST, PHOTOS
from nasbench_toolkit.plugins.search_spaces import NASBENCH201, NASBENCH201_TINY
from nasbench_toolkit.plugins.search_spaces.nasbench201 import space as space_module
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import OPERATIONS, parse_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import unique_arch_strs
from torch import nn

INDEX_13714 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
OUTSIDE = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"


@pytest.fixture
def space():
    return NASBENCH201.create()


@pytest.fixture
def tiny(monkeypatch):
    """Make the tabular space with a table of three cells and two seeds."""
    arch_ids = tuple(unique_arch_strs()[index] for index in (5000, 5200, 100))
    results = {
        "test_accuracy": ((90.0, 92.0), (80.0, 84.0), (10.0, 30.0)),
        "test_cross_entropy": ((0.1, 0.3), (0.5, 0.5), (2.0, 1.0)),
    }
    table = TinyTable(arch_ids, results, (1.0, 1.0, 1.0), {"setting": {"epochs": 3}})
    monkeypatch.setattr(space_module, "_tiny_table", lambda: table)
    return NASBENCH201_TINY.create()


def test_nasbench201_size(space):
    assert space.size == 5260


def test_nasbench201_sample_of_everything_is_everything(space):
    assert set(space.sample(5260, np.random.default_rng(0))) == set(unique_arch_strs())


def test_nasbench201_sample_is_canonical_and_decided_by_generator(space):
    first, second = (space.sample(50, np.random.default_rng(7)) for _ in range(2))
    assert first == second
    assert first != space.sample(50, np.random.default_rng(8))
    assert [space.canonicalize(arch_id) for arch_id in first] == first


def test_nasbench201_sample_larger_than_space(space):
    with pytest.raises(SampleSizeError, match="has 5,260 architectures, 5,261 were asked for"):
        space.sample(5261, np.random.default_rng(0))


def test_nasbench201_canonicalize_isomorphic_cells(space):
    # Both are the identity: skip connections along the chain, or from input to output directly.
    direct = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    through_node_1 = "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    assert space.canonicalize(through_node_1) == space.canonicalize(direct)


def test_nasbench201_canonicalize_refuses_other_text(space):
    with pytest.raises(InvalidArchitectureError, match="unknown operation 'max_pool_3x3'"):
        space.canonicalize(INDEX_13714.replace("skip_connect", "max_pool_3x3"))


def test_nasbench201_builds_the_benchmark_network(space):
    network = space.build_network(INDEX_13714, PHOTOS)
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_073_466
    shapes = [tuple(stage.shape[1:]) for stage in network.forward_stages(torch.zeros(2, 3, 32, 32))]
    assert shapes == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]


@pytest.mark.parametrize(
    ("variant", "channels", "cells"), [("benchmark", 16, 5), ("gennas", 16, 5), ("reduced", 4, 5), ("narrow", 3, 1)]
)
def test_networks_have_the_channels_and_cells_of_their_variant(space, variant, channels, cells):
    network = space.build_network(INDEX_13714, PHOTOS, variant)
    assert network.stem[0].out_channels == channels
    # Behind the first stage each begins with a reduction block.
    assert [len(stage) for stage in network.stages] == [cells, cells + 1, cells + 1]
    assert network.classifier.in_features == 4 * channels


@pytest.mark.parametrize(("variant", "activations"), [("single-cell", 5), ("te-nas", 6)])
def test_single_cells_have_the_images_channels_and_no_stem(space, variant, activations):
    network = space.build_network(INDEX_13714, PHOTOS, variant)
    assert [layer.in_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)] == [3] * 5
    # One in front of each convolution, and where regions are counted one behind the cell.
    assert sum(isinstance(layer, nn.ReLU) for layer in network.modules()) == activations


def test_nasbench201_builds_the_gennas_network(space):
    network = space.build_network(INDEX_13714, PHOTOS, "gennas")
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert {norm.affine for norm in norms} == {True, False}


def test_nasbench201_builds_for_the_dataset(space):
    network = space.build_network(INDEX_13714, replace(MNIST, num_classes=7))
    assert network(torch.zeros(2, 1, 12, 12)).shape == (2, 7)


def test_nasbench201_refuses_unknown_variant(space):
    with pytest.raises(PluginError, match=r"no network variant 'wide'. It has benchmark, gennas"):
        space.build_network(INDEX_13714, PHOTOS, "wide")


def test_nasbench201_mutation_rates(space):
    # An edge is redrawn with probability 1/5, and then differs in four of five cases.
    rng = np.random.default_rng(0)
    parent = parse_arch_str(INDEX_13714)
    children = [parse_arch_str(space.mutate(INDEX_13714, rng)) for _ in range(4000)]
    changed = [np.mean([child[edge] != parent[edge] for child in children]) for edge in range(6)]
    assert changed == pytest.approx([4 / 25] * 6, abs=0.03)
    new = Counter(child[0] for child in children if child[0] != parent[0])
    assert [new[op] / len(children) for op in OPERATIONS if op != parent[0]] == pytest.approx([1 / 25] * 4, abs=0.015)


def test_nasbench201_mutation_refuses_other_text(space):
    with pytest.raises(InvalidArchitectureError, match="has 1 '\\+'-separated groups"):
        space.mutate("resnet", np.random.default_rng(0))


def test_nasbench201_neighbours_have_another_operation_on_one_edge(space):
    neighbours = space.neighbours(INDEX_13714)
    assert len(set(neighbours)) == 24
    parent = parse_arch_str(INDEX_13714)
    for neighbour in neighbours:
        assert sum(new != old for new, old in zip(parse_arch_str(neighbour), parent, strict=True)) == 1


def test_nasbench201_cell_of_every_choice(space):
    assert space.choices() == (OPERATIONS,) * 6
    assert space.assemble([3, 3, 3, 1, 2, 3]) == INDEX_13714


def test_nasbench201_has_no_ground_truth(space):
    assert space.ground_truth() is None


def test_tiny_samples_the_cells_of_its_table(tiny):
    assert tiny.size == 3
    assert set(tiny.sample(3, np.random.default_rng(0))) == {unique_arch_strs()[i] for i in (5000, 5200, 100)}


def test_tiny_canonicalize_cell_of_the_table(tiny):
    arch_id = unique_arch_strs()[5000]
    assert tiny.canonicalize(arch_id) == arch_id


def test_tiny_mutation_stays_in_its_table(tiny):
    rng = np.random.default_rng(0)
    children = {tiny.canonicalize(tiny.mutate(unique_arch_strs()[5000], rng)) for _ in range(20)}
    assert children <= {unique_arch_strs()[index] for index in (5000, 5200, 100)}


def test_tiny_neighbours_are_those_in_its_table(space):
    tiny = NASBENCH201_TINY.create()
    cell = tiny.example()
    inside = set(tiny.sample(tiny.size, np.random.default_rng(0)))
    listed = tiny.neighbours(cell)
    assert listed == [text for text in space.neighbours(cell) if space.canonicalize(text) in inside]
    assert 0 < len(listed) < 24


def test_tiny_neighbours_refuse_cell_outside_its_table(tiny):
    with pytest.raises(InvalidArchitectureError, match="which is tabular"):
        tiny.neighbours(OUTSIDE)


def test_tiny_is_no_free_choice_of_operations(tiny):
    assert tiny.choices() is None
    with pytest.raises(UnsupportedSearchSpaceError, match="no list of independent decisions"):
        SearchSpace.assemble(tiny, [0] * 6)


def test_tiny_mutation_refuses_cell_outside_its_table(tiny):
    with pytest.raises(InvalidArchitectureError, match="which is tabular"):
        tiny.mutate(unique_arch_strs()[7], np.random.default_rng(0))


def test_tiny_canonicalize_refuses_cell_outside_its_table(tiny):
    with pytest.raises(
        InvalidArchitectureError, match=r"'nasbench201-tiny', which is tabular: it has only the 3 cells"
    ):
        tiny.canonicalize(OUTSIDE)


def test_tiny_builds_the_network_of_its_table(tiny):
    from nasbench_toolkit.plugins.search_spaces.nasbench201.tiny_training import build_training_network

    arch_id = unique_arch_strs()[5000]
    expected = build_training_network(arch_id, seed=0).state_dict()
    shapes = {name: value.shape for name, value in tiny.build_network(arch_id, MNIST).state_dict().items()}
    assert shapes == {name: value.shape for name, value in expected.items()}


def test_tiny_ground_truth_metrics(tiny):
    metrics = tiny.ground_truth().metrics
    assert [metric.key for metric in metrics] == ["mnist/test_cross_entropy@3", "mnist/test_accuracy@3"]
    assert [metric.direction for metric in metrics] == [Direction.MINIMIZE, Direction.MAXIMIZE]


def test_tiny_ground_truth_values_are_means_over_seeds(tiny):
    truth = tiny.ground_truth()
    arch_ids = [unique_arch_strs()[100], OUTSIDE, unique_arch_strs()[5000]]
    cross_entropy, accuracy = (truth.values(metric, arch_ids) for metric in truth.metrics)
    np.testing.assert_allclose(cross_entropy, [1.5, np.nan, 0.2])
    np.testing.assert_allclose(accuracy, [20.0, np.nan, 91.0])


def test_tiny_ground_truth_lists_all_values(tiny):
    truth = tiny.ground_truth()
    for metric in truth.metrics:
        values = truth.all_values(metric)
        assert sorted(values) == sorted(truth.values(metric, tiny.sample(tiny.size, np.random.default_rng(0))))


def test_tiny_ground_truth_noise_ceiling(tiny):
    # The two seeds order the three cells alike, in both metrics.
    truth = tiny.ground_truth()
    assert [truth.noise_ceiling(metric) for metric in truth.metrics] == pytest.approx([1.0, 1.0])


@pytest.mark.skipif(not TABLE_PATH.exists(), reason=f"the table {TABLE_PATH.name} has not been built")
def test_tiny_embedded_table():
    space = NASBENCH201_TINY.create()
    assert space.size >= 1000
    truth = space.ground_truth()
    arch_ids = space.sample(20, np.random.default_rng(0))
    for metric in truth.metrics:
        assert np.isfinite(truth.values(metric, arch_ids)).all()


def test_spaces_read_tables_without_torch():
    code = (
        "import sys; from nasbench_toolkit.plugins.search_spaces import NASBENCH201; "
        "NASBENCH201.create().size; "
        "from nasbench_toolkit.plugins.search_spaces.nasbench201 import tiny_ground_truth; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
