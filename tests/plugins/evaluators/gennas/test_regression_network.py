import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.gennas.regression_network import (
    RegressionNetwork,
    initialize,
    parameter_groups,
    probe_stages,
    regression_parameters,
)
from nasbench_toolkit.plugins.evaluators.layer_parameters import layer_parameters
from torch import nn
from torch.nn import functional


def regression_network(backbone, stages=(0, 1, 2), head="bn-conv"):
    return RegressionNetwork(backbone, [8, 16, 32], [5, 6, 7], stages, head)


def test_outputs_have_target_channels_and_size(make_network, images) -> None:
    outputs = regression_network(make_network())(images)
    assert [tuple(output.shape) for output in outputs] == [(4, 5, 8, 8), (4, 6, 8, 8), (4, 7, 8, 8)]


def test_features_are_reduced_to_every_nth_pixel_before_the_head(make_network, images) -> None:
    network = regression_network(make_network()).eval()
    features = network.backbone.forward_stages(images)
    reduced = [features[0][..., ::4, ::4], features[1][..., ::2, ::2], features[2]]
    for output, head, feature in zip(network(images), network.heads, reduced, strict=True):
        torch.testing.assert_close(output, head(feature), rtol=1e-6, atol=1e-6)


def test_stages_that_take_no_part_have_no_head(make_network, images) -> None:
    network = regression_network(make_network(), stages=(0, 2))
    assert [head[1].out_channels for head in network.heads] == [5, 7]
    assert len(network(images)) == 2


@pytest.mark.parametrize(("head", "kinds"), [("bn-conv", ["BatchNorm2d", "Conv2d"]), ("conv", ["Conv2d"])])
def test_head_is_batch_normalisation_and_biased_convolution(make_network, head, kinds) -> None:
    leaves = [
        leaf for leaf in regression_network(make_network(), (2,), head).heads.modules() if not list(leaf.children())
    ]
    assert [type(leaf).__name__ for leaf in leaves] == kinds
    assert leaves[-1].kernel_size == (1, 1)
    assert leaves[-1].bias is not None
    assert (leaves[-1].in_channels, leaves[-1].out_channels) == (32, 7)


def test_probe_counts_channels(make_network, images) -> None:
    assert probe_stages(make_network(width=3), images) == [3, 6, 12]


def test_probe_changes_nothing(make_network, images) -> None:
    network = make_network().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    probe_stages(network, images)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize(
    ("options", "size", "message"),
    [
        ({"num_stages": 2}, 32, r"needs the features of 3 stages, the network gave 2"),
        ({}, 64, r"features of stage 3 are 16x16, GenNAS needs them 8x8"),
        ({}, 16, r"features of stage 3 are 4x4, GenNAS needs them 8x8"),
        ({}, 6, r"features of stage 1 are 6x6, GenNAS needs them square and at least 8x8"),
    ],
    ids=["two-stages", "large", "small", "tiny"],
)
def test_probe_refuses_other_features(make_network, options, size, message) -> None:
    with pytest.raises(EvaluationError, match=message):
        probe_stages(make_network(**options), torch.zeros(2, 3, size, size))


def test_probe_refuses_features_that_are_not_square(make_network) -> None:
    with pytest.raises(EvaluationError, match=r"stage 1 are 32x16, GenNAS needs them square"):
        probe_stages(make_network(), torch.zeros(2, 3, 32, 16))


def test_parameter_groups_let_convolution_and_linear_weights_decay(make_network) -> None:
    network = regression_network(make_network())
    found = regression_parameters(network, (3, 32, 32))
    (decayed, decay), (others, no_decay) = parameter_groups(network.named_parameters(), found, 4e-5)
    assert (decay, no_decay) == (4e-5, 0.0)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    assert {names[id(parameter)] for parameter in decayed} == {
        *(f"backbone.stages.{stage}.0.weight" for stage in range(3)),
        *(f"heads.{stage}.1.weight" for stage in range(3)),
        "backbone.classifier.weight",
    }
    assert len(decayed) + len(others) == len(names)


def test_parameter_groups_let_other_weights_decay_that_have_more_than_one_dimension() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.PReLU(4), nn.ConvTranspose2d(4, 5, 2), nn.LayerNorm(3), nn.Flatten(), nn.Linear(45, 2)
    )
    found = layer_parameters(network, (3, 2, 2))
    (decayed, _), (others, _) = parameter_groups(network.named_parameters(), found, 4e-5)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    assert [names[id(parameter)] for parameter in decayed] == ["0.weight", "2.weight", "5.weight"]
    assert {names[id(parameter)] for parameter in others} >= {"1.weight", "3.weight"}


def weights_and_biases(network):
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return [layer.weight for layer in layers], [layer.bias for layer in layers if layer.bias is not None]


@pytest.mark.parametrize("scheme", ["xavier", "kaiming"])
def test_initialize_draws_normal_weights_of_the_schemes_width(scheme) -> None:
    network = nn.Sequential(nn.Conv2d(30, 50, 3), nn.BatchNorm2d(50), nn.Flatten(), nn.Linear(200, 300))
    torch.manual_seed(0)
    initialize(network, layer_parameters(network, (30, 4, 4)), scheme, "default")
    for layer, fan_in, fan_out in ((network[0], 270, 450), (network[3], 200, 300)):
        expected = (2 / (fan_in + fan_out) if scheme == "xavier" else 2 / fan_in) ** 0.5
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.03)
        # Normal, not uniform: some weights lie beyond sqrt(3) standard deviations.
        assert layer.weight.abs().max() > 3 * expected
        assert layer.bias.abs().max() > 0
    assert torch.equal(network[1].weight, torch.ones(50))


class ReadAs(nn.Module):
    """A linear layer whose weight is read from a parameter of another shape."""

    def __init__(self, parameter_shape, read):
        super().__init__()
        self.weight, self.read = nn.Parameter(torch.zeros(parameter_shape)), read

    def forward(self, features):
        return functional.linear(features, self.read(self.weight))


@pytest.mark.parametrize("scheme", ["xavier", "kaiming"])
def test_vector_of_a_linear_layer_is_drawn_and_decays_as_its_only_row(scheme) -> None:
    drawn = []
    for network in (nn.Linear(6, 1, bias=False), ReadAs((6,), lambda weight: weight)):
        torch.manual_seed(0)
        found = layer_parameters(network, (6,))
        initialize(network, found, scheme, "default")
        drawn.append(network.weight.flatten())
        assert parameter_groups(network.named_parameters(), found, 4e-5)[1] == ([], 0.0)
    assert torch.equal(*drawn)


def test_initialize_refuses_weights_that_layers_get_in_another_shape() -> None:
    network = ReadAs((18,), lambda weight: weight.view(3, 6))
    with pytest.raises(EvaluationError, match="cannot tell what 'weight' is to be"):
        initialize(network, layer_parameters(network, (6,)), "xavier", "default")


def test_initialize_by_default_changes_nothing(make_network) -> None:
    network = make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    initialize(network, layer_parameters(network, (3, 32, 32)), "default", "default")
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_initialize_zero_reaches_heads_but_not_batch_normalisation(make_network) -> None:
    network = regression_network(make_network())
    initialize(network, regression_parameters(network, (3, 32, 32)), "zero", "zero")
    weights, biases = weights_and_biases(network)
    assert all(not values.any() for values in weights + biases)
    assert len(biases) == 4
    assert torch.equal(network.heads[0][0].weight, torch.ones(8))


def test_initialize_follows_the_global_generator(make_network) -> None:
    drawn = []
    for seed in (1, 1, 2):
        network = make_network()
        torch.manual_seed(seed)
        initialize(network, layer_parameters(network, (3, 32, 32)), "xavier", "default")
        drawn.append(network.classifier.weight)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
