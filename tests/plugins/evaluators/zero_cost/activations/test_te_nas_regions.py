import copy

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.activations import te_nas_regions
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.te_nas_regions import (
    TeNasRegions,
    count_regions,
    random_crops,
    te_nas_regions_score,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.reinitialization import (
    drawable_parameters,
    kaiming_normal,
    redrawn_state,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import TeNasRegionsSettings
from torch import nn
from torch.nn import functional

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

# On and off: 110, 100, 110, 001 (0 is off): three different patterns.
CROPS = torch.tensor([[0.5, 2.0, -1.0], [9.0, 0.0, -0.1], [1.0, 1.0, -3.0], [-3.0, -1.0, 1.0]])[:, None, None]


def generator():
    return torch.Generator().manual_seed(3)


class Apply(nn.Module):
    """Network made of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images.clone())


@pytest.mark.parametrize(
    "relu",
    [
        pytest.param(nn.ReLU(), id="module"),
        pytest.param(nn.ReLU(inplace=True), id="module-in-place"),
        pytest.param(functional.relu, id="functional"),
        pytest.param(lambda x: functional.relu(x, inplace=True), id="functional-in-place"),
    ],
)
def test_te_nas_regions_score_by_hand(relu):
    assert te_nas_regions_score(Apply(relu), CROPS[None], generator()) == 3.0


def test_te_nas_regions_score_is_mean_over_repeats():
    # In the second repeat all crops are alike: one pattern.
    crops = torch.stack([CROPS, torch.ones_like(CROPS)])
    assert te_nas_regions_score(nn.ReLU(), crops, generator()) == 2.0


def test_te_nas_regions_score_patterns_span_all_relus():
    # The second ReLU tells apart what the first cannot: one region for each of four crops.
    class Two(nn.Module):
        def forward(self, images):
            return functional.relu(functional.relu(images) - 0.75)

    assert te_nas_regions_score(Two(), CROPS[None], generator()) == 4.0


def test_te_nas_regions_score_wherever_the_images_are():
    crops = torch.randn(1, 50, 1, 2, 2, generator=generator()).sign()
    expected = te_nas_regions_score(nn.ReLU(), crops, generator())
    halves = Apply(lambda x: functional.relu(torch.cat(x.chunk(2, 2))))
    assert te_nas_regions_score(halves, crops, generator()) == expected > 1.0


def naive_count(network, crops, pass_crops):
    """Do the same as the authors: the sum over crops of 1 / (number of crops with the same pattern)."""
    codes = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _module, _inputs, output: codes[-1].append(output.sign().flatten(1)))
    for part in crops.split(pass_crops):
        codes.append([])
        with torch.no_grad():
            network(part)
    codes = torch.cat([torch.cat(code, 1) for code in codes]).double()
    differences = codes @ (1 - codes).T
    differences = differences + differences.T
    return float((1 / (differences == 0).sum(1).double()).sum())


def naive_te_nas_regions_score(network, crops, draws):
    """Do the same the plain way: new weights in a copy for each repeat, a thousand crops in a pass."""
    network, counts = copy.deepcopy(network).train(), []
    for repeat in crops:
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu", generator=draws)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)
        counts.append(naive_count(copy.deepcopy(network), repeat, 1000))
    return sum(counts) / len(crops)


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_count_regions_equals_naive_in_passes(make_network, monkeypatch, variant):
    monkeypatch.setattr(te_nas_regions, "PASS_CROPS", 100)
    network, plain = make_network(variant=variant), make_network(variant=variant)
    crops = torch.randn(50, 3, 4, 4, generator=torch.Generator().manual_seed(0)).sign()
    crops = torch.cat([crops, crops, crops.flip(0), crops.flip(1)])
    weights = redrawn_state(network, drawable_parameters(network, (3, 4, 4)), kaiming_normal, generator())
    plain.load_state_dict(weights)
    count = count_regions(network, crops, weights)
    assert 50 <= count < 200
    assert count == pytest.approx(naive_count(plain, crops, 100), rel=1e-12)


def test_te_nas_regions_score_is_mean_over_kaiming_fan_in_weights(make_network):
    crops = torch.randn(2, 60, 3, 4, 4, generator=torch.Generator().manual_seed(0)).sign()
    expected = naive_te_nas_regions_score(make_network(seed=9), crops, generator())
    assert te_nas_regions_score(make_network(), crops, generator()) == pytest.approx(expected, rel=1e-12)


def test_random_crops_are_squares_of_the_images():
    images = torch.arange(2 * 3 * 5 * 6.0).reshape(2, 3, 5, 6)
    crops = random_crops(images, 500, 4, generator())
    assert crops.shape == (500, 1, 4, 4)
    squares = images.unfold(2, 4, 1).unfold(3, 4, 1).reshape(-1, 4, 4)
    assert {tuple(crop.flatten().tolist()) for crop in crops} == {
        tuple(square.flatten().tolist()) for square in squares
    }


def test_random_crops_larger_than_images_are_an_error():
    with pytest.raises(EvaluationError, match="crops of 6x6 pixels do not fit into images of 5x6"):
        random_crops(torch.zeros(1, 1, 5, 6), 3, 6, generator())


def test_te_nas_regions_score_dead_cell_has_one_region(make_network, images):
    assert te_nas_regions_score(make_network(DEAD), images[None], generator()) == 1.0


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(nn.GELU(), id="gelu"),
        pytest.param(nn.Sequential(nn.Flatten(), nn.ReLU()), id="not-on-maps"),
    ],
)
def test_te_nas_regions_score_without_relu_is_degenerate(network):
    with pytest.raises(DegenerateError, match="no ReLU on feature maps has run"):
        te_nas_regions_score(network, CROPS[None], generator())


def test_te_nas_regions_score_not_finite_output_is_diverged():
    with pytest.raises(DivergedError, match="output is not finite"):
        te_nas_regions_score(Apply(lambda x: functional.relu(x) / 0.0), CROPS[None], generator())


def test_te_nas_regions_score_leaves_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: te_nas_regions_score(network, images[None], generator()))


def test_te_nas_regions_of_a_job_is_repeatable(make_context):
    evaluator = TeNasRegions(TeNasRegionsSettings(crops=200, batch_size=8, repeats=2))
    score = evaluator._evaluate(make_context())
    assert 1.0 < score <= 200.0
    assert evaluator._evaluate(make_context()) == score


@pytest.mark.parametrize(
    "cell",
    [
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|skip_connect~2|",
        "|skip_connect~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|skip_connect~2|",
        DEAD,
    ],
)
def test_te_nas_regions_of_a_job_count_the_relu_behind_the_cell(make_context, monkeypatch, cell):
    """Compare with the authors' one-cell network: cell, batch normalisation, ReLU, pooling, classifier."""
    settings = TeNasRegionsSettings(crops=300, batch_size=8, repeats=2)
    context = make_context(cell)
    expected = []
    plain = context.network("te-nas", input_shape=(1, 3, 3))
    head = (nn.BatchNorm2d(1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), plain.classifier)
    rebuilt = nn.Sequential(plain.cell, *head)

    def naive(network, crops, draws):
        expected.append(naive_te_nas_regions_score(rebuilt, crops, draws))
        return te_nas_regions_score(network, crops, context.generator("weights"))

    monkeypatch.setattr(te_nas_regions, "te_nas_regions_score", naive)
    score = TeNasRegions(settings)._evaluate(context)
    assert score == pytest.approx(expected[0], rel=1e-12)
    assert score == 1.0 if cell == DEAD else score > 10.0
