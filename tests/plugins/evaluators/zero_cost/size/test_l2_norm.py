import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.probing import run_weights
from nasbench_toolkit.plugins.evaluators.zero_cost.size import l2_norm
from torch import nn


def l2_norm_score(network, input_shape=(1, 1, 2)):
    return l2_norm.l2_norm_score(run_weights(network, input_shape))


def set_weight(layer, values):
    layer.weight.data = torch.tensor(values).reshape(layer.weight.shape)
    return layer


def test_l2_norm_score_by_hand():
    # Norms 5 and 13; biases and batch normalisation do not count.
    network = nn.Sequential(
        set_weight(nn.Conv2d(1, 2, 1), [3.0, -4.0]), nn.BatchNorm2d(2), set_weight(nn.Linear(2, 1), [5.0, 12.0])
    )
    assert l2_norm_score(network) == 18.0


@pytest.mark.parametrize(
    "arch_str",
    [
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    ],
)
def test_l2_norm_score_equals_naive(make_network, arch_str):
    network = make_network(arch_str)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    expected = sum(layer.weight.double().square().sum().sqrt().item() for layer in layers)
    assert l2_norm_score(network, (3, 16, 16)) == pytest.approx(expected, rel=1e-14)


def test_l2_norm_score_shared_layer_counts_once():
    layer = set_weight(nn.Linear(2, 2), [3.0, 4.0, 0.0, 0.0])
    assert l2_norm_score(nn.Sequential(layer, layer)) == 5.0


def test_l2_norm_score_leaves_out_layers_that_never_run():
    network = set_weight(nn.Linear(2, 1), [3.0, 4.0])
    network.unused = set_weight(nn.Linear(1, 1), [2.0])
    assert l2_norm_score(network) == 5.0
    assert l2_norm.l2_norm_score(l2_norm.registered_weights(network)) == 7.0


def test_l2_norm_score_leaves_network_untouched(make_network, assert_untouched):
    assert_untouched(make_network(), lambda network: l2_norm_score(network, (3, 16, 16)))


def test_l2_norm_score_without_weights_is_degenerate():
    with pytest.raises(DegenerateError, match="hence no weights"):
        l2_norm_score(nn.Sequential(nn.BatchNorm2d(1), nn.ReLU()))


def test_l2_norm_score_of_infinite_weight_is_diverged():
    with pytest.raises(DivergedError, match="an initial weight is not finite"):
        l2_norm_score(set_weight(nn.Linear(2, 1), [3.0, math.inf]))
