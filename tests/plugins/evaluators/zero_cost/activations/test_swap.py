import copy
import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, InvalidSettingError
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.swap import (
    Swap,
    count_patterns,
    pack_units,
    parameter_regularisation,
    swap_score,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.layer_sizes import count_params
from nasbench_toolkit.plugins.evaluators.zero_cost.reinitialization import (
    drawable_parameters,
    redrawn_state,
    standard_normal,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import SwapSettings
from torch import nn
from torch.nn import functional

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

# Eight images of five units. On (1 and 2) and off (0, -1) of each unit over the images: 10000000, 10000001, 10000000,
# 01111111, 00000000: four different patterns.
UNITS = [
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 1.0],
    [2.0, -1.0, 0.0, -1.0, 0.0, -1.0, -1.0, -1.0],
    [0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0],
    [0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
]
IMAGES = torch.tensor(UNITS).T.reshape(8, 1, 1, 5)


class Apply(nn.Module):
    """Network made of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images.clone()).flatten(1)


def generator():
    return torch.Generator().manual_seed(3)


RELUS = [
    pytest.param(nn.ReLU(), id="module"),
    pytest.param(nn.ReLU(inplace=True), id="module-in-place"),
    pytest.param(nn.ReLU6(), id="relu6"),
    pytest.param(functional.relu, id="functional"),
    pytest.param(lambda x: functional.relu(x, inplace=True), id="functional-in-place"),
    pytest.param(torch.relu_, id="torch-underscore"),
    pytest.param(lambda x: x.relu(), id="method"),
]


@pytest.mark.parametrize("relu", RELUS)
def test_swap_score_by_hand(relu):
    assert swap_score(Apply(relu), IMAGES, generator()) == 4.0


def test_swap_score_counts_a_pattern_once_over_all_relus():
    assert swap_score(nn.Sequential(nn.ReLU(), nn.ReLU()), IMAGES, generator()) == 4.0


def test_pack_units_in_words():
    units_on = torch.zeros(70, 4, dtype=torch.bool)
    units_on[0, 1] = units_on[69, 2] = units_on[69, 3] = units_on[63, 3] = True
    assert pack_units(units_on).tolist() == [[0, 0], [1, 0], [0, 2**5], [-(2**63), 2**5]]


def test_swap_score_of_more_images_than_bits_in_a_word():
    images = -torch.ones(70, 1, 1, 4)
    images[0, ..., 1] = images[69, ..., 2] = images[69, ..., 3] = 1.0
    assert swap_score(nn.ReLU(), images, generator()) == 3.0


def naive_count(network, images):
    """Do the same the plain way: hooks on modules, distinct rows of floating-point numbers."""
    outputs = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output.detach().flatten(1)))
    with torch.no_grad():
        # In the same order in memory, so that convolutions sum up alike.
        network(images.contiguous(memory_format=torch.channels_last))
    return len(torch.unique(torch.cat(outputs, 1).sign().T, dim=0))


def naive_swap_score(network, images, draws, repeats):
    """Do the same the plain way: new weights in a copy for each repeat."""
    network, counts = copy.deepcopy(network).train(), []
    for _ in range(repeats):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, generator=draws)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)
        counts.append(naive_count(copy.deepcopy(network), images))
    return sum(counts) / repeats


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_count_patterns_equals_naive(make_network, images, variant):
    network, plain = make_network(variant=variant), make_network(variant=variant)
    weights = redrawn_state(network, drawable_parameters(network, (3, 16, 16)), standard_normal, generator())
    plain.load_state_dict(weights)
    assert count_patterns(network, images, weights) == naive_count(plain, images)


def test_swap_score_is_mean_over_standard_normal_weights(make_network, images):
    expected = naive_swap_score(make_network(seed=9), images, generator(), 2)
    assert swap_score(make_network(), images, generator(), 2) == expected


def test_swap_score_wherever_the_images_are():
    images = torch.randn(10, 2, 4, 4, generator=generator())
    expected = swap_score(nn.ReLU(), images, generator(), 1)
    halves = Apply(lambda x: functional.relu(torch.cat(x.chunk(2, 2))))
    second = Apply(lambda x: functional.relu(x.transpose(0, 1)))
    assert swap_score(halves, images, generator(), 1) == expected
    assert swap_score(second, images, generator(), 1) == expected


def test_swap_score_dead_cell_has_one_pattern(make_network, images):
    assert swap_score(make_network(DEAD), images, generator(), 1) == 1.0


def test_parameter_regularisation_by_hand():
    # 1,000 weights: exp(-(1 - 2)^2 / 4).
    assert parameter_regularisation(1000, 2.0, 4.0) == pytest.approx(math.exp(-0.25))


def test_swap_score_all_patterns_are_degenerate():
    bits = torch.arange(256) // 2 ** torch.arange(8)[:, None] % 2
    with pytest.raises(DegenerateError, match="all 256 activation patterns of 8 images occur"):
        swap_score(nn.ReLU(), bits.reshape(8, 1, 16, 16).float(), generator())


def test_swap_score_too_few_images_are_degenerate():
    with pytest.raises(DegenerateError, match="7 images have only 128 activation patterns"):
        swap_score(nn.ReLU(), IMAGES[:7], generator())


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(nn.LeakyReLU(), id="leaky-relu"),
        pytest.param(nn.Sequential(nn.Flatten(), nn.ReLU()), id="not-on-maps"),
    ],
)
def test_swap_score_without_relu_is_degenerate(network):
    with pytest.raises(DegenerateError, match="no ReLU on feature maps has run"):
        swap_score(network, IMAGES, generator())


def test_swap_score_not_finite_output_is_diverged():
    with pytest.raises(DivergedError, match="output is not finite"):
        swap_score(Apply(lambda x: functional.relu(x) / 0.0), IMAGES, generator())


def test_swap_score_leaves_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: swap_score(network, images, generator(), 2))


@pytest.mark.parametrize("given", [{"mu": 1.0}, {"sigma": 1.0}])
def test_swap_settings_mu_and_sigma_together(given):
    with pytest.raises(InvalidSettingError, match="given together, or neither"):
        SwapSettings(**given)


def test_swap_settings_sigma_above_zero():
    with pytest.raises(InvalidSettingError, match="must be above 0, got 0"):
        SwapSettings(mu=1.0, sigma=0.0)


def test_swap_of_a_job(make_context):
    context = make_context()
    network = context.network("reduced")
    expected = swap_score(network, context.batch(16).inputs, context.generator("weights"), 2)
    settings = {"network": "reduced", "batch_size": 16, "repeats": 2}
    assert Swap(SwapSettings(**settings))._evaluate(make_context()) == expected
    regularised = Swap(SwapSettings(**settings, mu=50.0, sigma=1000.0))._evaluate(make_context())
    assert regularised == expected * parameter_regularisation(count_params(network, (3, 32, 32)), 50.0, 1000.0)
