import copy
import math

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.forward_graph import gradients_of_batch
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.zico import inverse_variation, split_batch, zico_score
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


def naive_score(network, batches):
    """Do it the plain way: a copy for each batch, backward, and the variance as mean square minus squared mean."""
    copies = [copy.deepcopy(network).train() for _ in batches]
    for network_copy, batch in zip(copies, batches, strict=True):
        functional.cross_entropy(network_copy(batch.inputs), batch.labels).backward()
    score = 0.0
    for layers in zip(*[network_copy.modules() for network_copy in copies], strict=True):
        if not isinstance(layers[0], nn.Conv2d | nn.Linear) or layers[0].weight.grad is None:
            continue
        gradients = torch.stack([layer.weight.grad.double().flatten() for layer in layers])
        deviations = (gradients.square().mean(0) - gradients.mean(0).square()).clamp(min=0).sqrt()
        varies = deviations > 0
        ratios = gradients.abs().mean(0)[varies] / deviations[varies]
        score += math.log(ratios.sum()) if varies.any() else 0.0
    return score


@pytest.fixture
def two_batches(batch):
    return split_batch(batch, 2)


def test_inverse_variation_of_two_batches_by_hand():
    # (|a| + |b|) / |a - b|: 4 / 2 and 4 / 4; the entries 3, 3 and 0, 0 do not vary.
    gradients = torch.tensor([[1.0, -2.0, 3.0, 0.0], [3.0, 2.0, 3.0, 0.0]], dtype=torch.float64)
    assert inverse_variation(gradients).item() == pytest.approx(3.0, rel=1e-15)


def test_inverse_variation_of_three_batches_by_hand():
    # Signed gradients -1, 2, 3: mean |g| 2, variance 14 / 3 - 16 / 9 = 26 / 9.
    gradients = torch.tensor([[-1.0], [2.0], [3.0]], dtype=torch.float64)
    assert inverse_variation(gradients).item() == pytest.approx(6 / math.sqrt(26), rel=1e-15)


def test_inverse_variation_equal_gradients_with_rounded_mean_do_not_vary():
    gradients = torch.full((3, 1), 0.1, dtype=torch.float64)
    assert inverse_variation(gradients).item() == 0.0


def test_zico_score_by_hand(linear_network, wrong_batch):
    # With the less likely labels the gradients of the two weights are (3/4, -3/4), with the others (-1/4, 1/4):
    # each has (3/4 + 1/4) / 1 = 1.
    right_batch = Batch(wrong_batch.inputs, 1 - wrong_batch.labels)
    assert zico_score(linear_network, [wrong_batch, right_batch]) == pytest.approx(math.log(2.0), rel=1e-12)


@pytest.mark.parametrize("arch_str", CELLS)
@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
@pytest.mark.parametrize("parts", [2, 4])
def test_zico_score_equals_naive(make_network, double_batch, arch_str, variant, parts):
    network = make_network(arch_str, variant=variant).double()
    batches = split_batch(double_batch, parts)
    # A weight whose gradients differ by 5e-7 of themselves makes most of a sum, and the plain variance cancels there.
    assert zico_score(network, batches) == pytest.approx(naive_score(network, batches), rel=1e-5)


def test_zico_score_tensor_that_does_not_vary_is_left_out(make_network, two_batches):
    network = make_network()
    expected = zico_score(network, two_batches)
    network.classifier.unused = nn.Linear(3, 3)
    assert zico_score(network, two_batches) == expected


class SkipsLayer(nn.Module):
    """Runs one layer only for images that are bright."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3, bias=False)
        self.classifier = nn.Linear(3, 10)

    def forward(self, images):
        features = images.mean(dim=(2, 3))
        return self.classifier(self.layer(features) if images.mean() > 0 else features)


def test_zico_score_layer_that_one_batch_skips_has_gradient_0(two_batches):
    # Its entries are a and 0: |a| / |a| = 1 each, so the layer of 9 weights adds log 9 to the classifier's value.
    shifted = [
        Batch(part.inputs - part.inputs.mean() + offset, part.labels)
        for part, offset in zip(two_batches, (1.0, -1.0), strict=True)
    ]
    network = SkipsLayer()
    classifier = [gradients_of_batch(network, part)["classifier.weight"][1].double() for part in shifted]
    expected = math.log(9.0) + inverse_variation(torch.stack(classifier)).log().item()
    assert zico_score(network, shifted) == pytest.approx(expected, rel=1e-12)


def test_zico_score_same_for_every_kind_of_relu(activation_networks, two_batches):
    assert len({zico_score(network, two_batches) for network in activation_networks}) == 1


def test_zico_score_does_not_depend_on_the_order_of_batches(make_network, two_batches):
    assert zico_score(make_network(), two_batches) == zico_score(make_network(), two_batches[::-1])


def test_zico_score_leaves_network_untouched(make_network, assert_untouched, two_batches):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: zico_score(network, two_batches))


def test_zico_score_equal_batches_are_degenerate(make_network, batch):
    with pytest.raises(DegenerateError, match="the gradients are the same for all 2 batches"):
        zico_score(make_network(), [batch, batch])


def test_zico_score_biases_behind_a_gap_are_degenerate(network_without_path, two_batches):
    with pytest.raises(DegenerateError, match="the outputs are the same for all inputs"):
        zico_score(network_without_path, two_batches)


def test_zico_score_dead_cell_is_degenerate(make_network, two_batches):
    with pytest.raises(DegenerateError, match="every gradient is 0: the network has no path"):
        zico_score(make_network(DEAD), two_batches)


def test_zico_score_without_weights_is_degenerate(two_batches):
    with pytest.raises(DegenerateError, match="hence no weights"):
        zico_score(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()), two_batches)


def test_zico_score_nan_output_is_diverged(make_network, two_batches):
    network = make_network()
    nn.init.constant_(network.classifier.weight, math.nan)
    with pytest.raises(DivergedError, match="output is not finite"):
        zico_score(network, two_batches)


def test_zico_score_infinite_gradient_is_diverged(power_of_zero, two_batches):
    with pytest.raises(DivergedError, match="a gradient is not finite"):
        zico_score(power_of_zero(0.5), two_batches)


def test_split_batch_refuses_part_of_one_class(batch):
    labels = torch.arange(16) // 8
    labels[0] = 1
    with pytest.raises(DegenerateError, match="all 8 images of batch 2 have the same label: use a larger batch_size"):
        split_batch(Batch(batch.inputs, labels), 2)


def test_zico_compares_the_parts_of_one_draw(create_evaluator, make_context):
    context = make_context()
    score = create_evaluator("zico", batch_size=4, batches=3).evaluate(context).score
    drawn = context.batch(12)
    parts = [Batch(drawn.inputs[start : start + 4], drawn.labels[start : start + 4]) for start in (0, 4, 8)]
    assert score == zico_score(context.network(), parts)
