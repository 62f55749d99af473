import copy
import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.snip import snip_score
from torch import nn
from torch.nn import functional

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def naive_score(network, batch):
    """Do it the plain way: a copy, and backward."""
    network = copy.deepcopy(network).train()
    functional.cross_entropy(network(batch.images), batch.labels).backward()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    ran = [layer.weight for layer in layers if layer.weight.grad is not None]
    return sum((weight.double() * weight.grad).abs().sum().item() for weight in ran)


def test_snip_score_by_hand(linear_network, wrong_batch):
    # Probabilities minus labels are (3/4, -3/4) and (-3/4, 3/4), half of that per image in the mean loss:
    # g = 3/8 x (1 + 1) = 3/4 for the first weight, -3/4 for the second. Weights are log 3 and 0.
    assert snip_score(linear_network, wrong_batch) == pytest.approx(0.75 * math.log(3.0), rel=1e-12)


@pytest.mark.parametrize("arch_str", CELLS)
@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_snip_score_equals_naive(make_network, batch, arch_str, variant):
    network = make_network(arch_str, variant=variant)
    expected = naive_score(network, batch)
    assert snip_score(network, batch) == pytest.approx(expected, rel=1e-6)


def test_snip_score_shared_layer_counts_once(batch):
    layer = nn.Conv2d(3, 3, 1, bias=False)
    network = nn.Sequential(layer, nn.Tanh(), layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    expected = naive_score(network, batch)
    assert snip_score(network, batch) == pytest.approx(expected, rel=1e-6)


def test_snip_score_same_for_every_kind_of_relu(activation_networks, batch):
    scores = {snip_score(network, batch) for network in activation_networks}
    assert len(scores) == 1


def test_snip_score_leaves_network_untouched(make_network, assert_untouched, batch):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: snip_score(network, batch))


def test_snip_score_without_gradient_mode_and_of_frozen_network(make_network, batch):
    expected = snip_score(make_network(), batch)
    with torch.no_grad():
        assert snip_score(make_network().requires_grad_(False), batch) == expected


def test_snip_score_biases_behind_a_gap_are_degenerate(network_without_path, batch):
    with pytest.raises(DegenerateError, match="the outputs are the same for all images"):
        snip_score(network_without_path, batch)


def test_snip_score_dead_cell_is_degenerate(make_network, batch):
    with pytest.raises(DegenerateError, match="every gradient is 0: the network has no path"):
        snip_score(make_network(DEAD), batch)


def test_snip_score_without_weights_is_degenerate(batch):
    with pytest.raises(DegenerateError, match="hence no weights"):
        snip_score(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()), batch)


def test_snip_score_nan_output_is_diverged(make_network, batch):
    network = make_network()
    nn.init.constant_(network.classifier.weight, math.nan)
    with pytest.raises(DivergedError, match="output is not finite"):
        snip_score(network, batch)


def test_snip_score_infinite_gradient_is_diverged(power_of_zero, batch):
    with pytest.raises(DivergedError, match="a gradient is not finite"):
        snip_score(power_of_zero(0.5), batch)


def test_snip_refuses_one_class(create_evaluator, one_class_context):
    with pytest.raises(DegenerateError, match="all 2 images of the batch have the same label"):
        create_evaluator("snip", batch_size=2).evaluate(one_class_context)
