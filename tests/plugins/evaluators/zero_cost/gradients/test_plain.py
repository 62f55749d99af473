import copy
import math

import pytest
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.plain import plain_score
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


def naive_score(network, batch):
    """Do it the plain way: a copy, and backward."""
    network = copy.deepcopy(network).train()
    functional.cross_entropy(network(batch.inputs), batch.labels).backward()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    ran = [layer.weight for layer in layers if layer.weight.grad is not None]
    return sum((weight.double() * weight.grad).sum().item() for weight in ran)


def test_plain_score_by_hand(linear_network, wrong_batch):
    # Probabilities minus labels are (3/4, -3/4) and (-3/4, 3/4), half of that per image in the mean loss:
    # g = 3/8 x (1 + 1) = 3/4 for the first weight, -3/4 for the second. Weights are log 3 and 0.
    assert plain_score(linear_network, wrong_batch) == pytest.approx(0.75 * math.log(3.0), rel=1e-12)


@pytest.mark.parametrize("arch_str", CELLS)
@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_plain_score_equals_naive(make_network, double_batch, arch_str, variant):
    network = make_network(arch_str, variant=variant).double()
    expected = naive_score(network, double_batch)
    assert plain_score(network, double_batch) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_plain_score_is_signed(linear_network, wrong_batch):
    # The likely labels: p - y is (-1/4, 1/4) and (1/4, -1/4), so g = -1/4 for the first weight.
    right_batch = Batch(wrong_batch.inputs, 1 - wrong_batch.labels)
    assert plain_score(linear_network, right_batch) == pytest.approx(-0.25 * math.log(3.0), rel=1e-12)


def test_plain_score_is_0_behind_batch_normalisation(normalised_network, batch):
    batch = Batch(batch.inputs.double(), batch.labels)
    assert snip_score(normalised_network, batch) > 0.01
    assert plain_score(normalised_network, batch) == pytest.approx(0.0, abs=1e-14)


def test_plain_score_shared_layer_counts_once(batch):
    layer = nn.Conv2d(3, 3, 1, bias=False)
    network = nn.Sequential(layer, nn.Tanh(), layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    expected = naive_score(network, batch)
    assert plain_score(network, batch) == pytest.approx(expected, rel=1e-6)


def test_plain_refuses_one_class(create_evaluator, one_class_context):
    with pytest.raises(DegenerateError, match="all 2 images of the batch have the same label"):
        create_evaluator("plain", batch_size=2).evaluate(one_class_context)
