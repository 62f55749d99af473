import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH_NLP_SOURCE
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical import canonical_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.network import (
    VARIANTS,
    Dropouts,
    RecurrentLayer,
    RecurrentNetwork,
    draw_large_mask,
    draw_mask,
)
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.picture import cell_graph
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.recipe import parse_recipe
from torch import nn

from .test_nasbench_nlp_recipe import LSTM

TABLE = Path(__file__).parents[3] / "../shared/data/nasbench-nlp/nasbench-nlp.csv.gz"
WIKITEXT_WORDS, EMBEDDING = 33278, 400

GRU = json.dumps(
    {
        "r": {"op": "linear", "input": ["x", "h_prev_0"]},
        "r_act": {"op": "activation_sigm", "input": ["r"]},
        "z": {"op": "linear", "input": ["x", "h_prev_0"]},
        "z_act": {"op": "activation_sigm", "input": ["z"]},
        "rh": {"op": "elementwise_prod", "input": ["r_act", "h_prev_0"]},
        "new": {"op": "linear", "input": ["x", "rh"]},
        "new_act": {"op": "activation_tanh", "input": ["new"]},
        "h_new_0": {"op": "blend", "input": ["z_act", "h_prev_0", "new_act"]},
    }
)
NO_DROPOUT = Dropouts(weights=0.0, between=0.0, output=0.0, frozen=False)


def layer_of(text: str, dropouts: Dropouts = NO_DROPOUT) -> RecurrentLayer:
    torch.manual_seed(0)
    return RecurrentLayer(parse_recipe(text), input_size=7, hidden_size=5, dropouts=dropouts)


def weights(layer: RecurrentLayer, names: list[str], which: int) -> torch.Tensor:
    return torch.cat([layer.matrices[name][which].weight for name in names])


def biases(layer: RecurrentLayer, names: list[str]) -> torch.Tensor:
    return torch.cat([layer.biases[name] for name in names])


def test_an_lstm_recipe_computes_what_torch_computes() -> None:
    layer, reference = layer_of(LSTM), nn.LSTM(7, 5)
    gates = ["i", "f", "j", "o"]
    with torch.no_grad():
        reference.weight_ih_l0.copy_(weights(layer, gates, 0))
        reference.weight_hh_l0.copy_(weights(layer, gates, 1))
        reference.bias_ih_l0.copy_(biases(layer, gates))
        reference.bias_hh_l0.zero_()
    inputs = torch.randn(6, 3, 7)
    torch.testing.assert_close(layer(inputs), reference(inputs)[0])


def test_a_gru_recipe_computes_what_its_formula_says() -> None:
    layer = layer_of(GRU)
    inputs, state = torch.randn(6, 3, 7), torch.zeros(3, 5)

    def linear(name: str, step: torch.Tensor, recurrent: torch.Tensor) -> torch.Tensor:
        into, across = layer.matrices[name]
        return step @ into.weight.T + recurrent @ across.weight.T + layer.biases[name]

    for step, output in zip(inputs, layer(inputs), strict=True):
        reset, update = linear("r", step, state).sigmoid(), linear("z", step, state).sigmoid()
        proposed = linear("new", step, reset * state).tanh()
        state = update * state + (1 - update) * proposed
        torch.testing.assert_close(output, state)


def test_leaky_relu_and_sums_of_three_matrices() -> None:
    text = json.dumps(
        {
            "a": {"op": "linear", "input": ["h_prev_1", "x", "h_prev_0"]},
            "b": {"op": "activation_leaky_relu", "input": ["a"]},
            "h_new_0": {"op": "elementwise_sum", "input": ["a", "b"]},
            "h_new_1": {"op": "elementwise_prod", "input": ["a", "b"]},
        }
    )
    layer = layer_of(text)
    inputs, states = torch.randn(4, 2, 7), [torch.zeros(2, 5), torch.zeros(2, 5)]
    for step, output in zip(inputs, layer(inputs), strict=True):
        parts = zip((states[1], step, states[0]), layer.matrices["a"], strict=True)
        value = sum((part @ matrix.weight.T for part, matrix in parts), layer.biases["a"])
        bent = torch.where(value > 0, value, 0.01 * value)
        states = [value + bent, value * bent]
        torch.testing.assert_close(output, states[0])


def test_sizes_and_initial_weights_are_the_benchmarks() -> None:
    torch.manual_seed(1)
    network = RecurrentNetwork(parse_recipe(LSTM), VARIANTS["benchmark"])
    shapes = [tuple(matrix.weight.shape for matrix in layer.matrices["i"]) for layer in network.layers]
    assert shapes == [((600, 400), (600, 600)), ((600, 600), (600, 600)), ((400, 600), (400, 400))]
    for layer in network.layers:
        bound = layer.hidden_size**-0.5
        for parameter in layer.parameters():
            assert float(parameter.detach().abs().max()) == pytest.approx(bound, rel=0.02)
        assert float(layer.matrices["i"][1].weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.02)


def test_weight_drop_leaves_out_weights_that_x_does_not_feed_and_cuts_their_gradient() -> None:
    layer = layer_of(LSTM, Dropouts(weights=0.5, between=0.0, output=0.0))
    inputs = torch.randn(6, 3, 7)
    assert not torch.equal(layer(inputs), layer(inputs))
    layer(inputs).sum().backward()
    for into, across in layer.matrices.values():
        assert into.weight.grad is not None
        assert across.weight.grad is None
    layer.eval()
    assert torch.equal(layer(inputs), layer(inputs))
    trained = layer_of(LSTM, Dropouts(weights=0.5, between=0.0, output=0.0, frozen=False))
    trained(inputs).sum().backward()
    assert all(across.weight.grad is not None for _, across in trained.matrices.values())


def test_weight_drop_keeps_the_share_and_the_expectation() -> None:
    layer = layer_of(LSTM, Dropouts(weights=0.25, between=0.0, output=0.0))
    weight = torch.ones(199, 201)
    dropped = layer._dropped(weight, torch.device("cpu"))
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("draw", [draw_mask, draw_large_mask])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.5])
def test_masks_are_independent_bits_of_the_asked_share(draw: Callable[..., torch.Tensor], share: float) -> None:
    torch.manual_seed(0)
    count = 400_001
    mask = draw(torch.Size((count,)), share, torch.float64, torch.device("cpu"))
    dropped = mask == 0
    deviation = (share * (1 - share) / count) ** 0.5
    assert float(dropped.double().mean()) == pytest.approx(share, abs=4 * deviation)
    assert mask.max() == pytest.approx(1 / (1 - share))
    for lag in (1, 2, 3, 4, 8):
        both = float((dropped[lag:] & dropped[:-lag]).double().mean())
        assert both == pytest.approx(share**2, abs=5 * deviation)


def test_dropout_behind_layers_is_the_same_at_every_step() -> None:
    torch.manual_seed(2)
    network = RecurrentNetwork(parse_recipe(GRU), Dropouts(weights=0.0, between=0.0, output=0.4))
    outputs = network(torch.randn(4, 3, 400))
    dropped = outputs == 0
    assert bool((dropped == dropped[:1]).all())
    assert float(dropped[0].float().mean()) == pytest.approx(0.4, abs=0.06)
    network.eval()
    assert not bool((network(torch.randn(4, 3, 400)) == 0).any())


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-NLP's table in ../shared/data")
def test_parameters_are_as_many_as_the_training_logs_say() -> None:
    """The logs count embedding, tied decoder and its bias as well."""
    with gzip.open(TABLE, "rt") as file:
        rows = list(csv.DictReader(file))
    embedding = WIKITEXT_WORDS * (EMBEDDING + 1)
    counts = {row["architecture"]: int(row["num_parameters"]) for row in rows}
    assert len(counts) == 291
    with torch.device("meta"):
        for text, published in counts.items():
            network = RecurrentNetwork(parse_recipe(canonical_recipe(text)), VARIANTS["wikitext-2"])
            assert sum(parameter.numel() for parameter in network.parameters()) + embedding == published


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-NLP's table in ../shared/data")
def test_a_table_is_sampled_uniformly_and_has_all_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path))
    import_data(NASBENCH_NLP_SOURCE.create(), TABLE, lambda done, total: None)
    space = installed_plugins().search_space("nasbench-nlp").info.create()
    assert space.size == 265
    assert "265 cells of the imported table" in space.sampling
    everything = space.sample(265, np.random.default_rng(0))
    assert sorted(everything) == sorted(map(space.canonicalize, everything))
    table = space.ground_truth()
    assert table is not None
    losses = next(metric for metric in table.metrics if metric.key == "wikitext-2/test_loss")
    assert np.isfinite(table.values(losses, everything)).sum() > 250


def test_the_picture_shows_one_step_of_the_cell() -> None:
    graph = cell_graph(canonical_recipe(GRU))
    labels = [node.label for node in graph.nodes]
    assert labels[:2] == ["x", "output before"]
    assert labels[-1] == "output"
    assert sorted(labels[2:-1]) == ["blend", "linear", "linear", "linear", "product", "sigmoid", "sigmoid", "tanh"]
    into_blend = [edge for edge in graph.edges if edge.target == "h_new_0"]
    kinds = {node.name: node.label for node in graph.nodes}
    assert [(edge.label, kinds[edge.source]) for edge in into_blend] == [
        ("a", "sigmoid"),
        ("b", "output before"),
        ("c", "tanh"),
    ]
    assert [edge.target for edge in graph.edges if edge.source == "h_new_0"] == ["out 0"]
