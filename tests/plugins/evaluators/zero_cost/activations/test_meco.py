import copy

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.meco import (
    EigenvalueSum,
    Meco,
    meco_score,
    smallest_eigenvalue,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.image_layouts import ImageLayouts
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import MecoSettings
from torch import nn
from torch.nn import functional

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]

# The rows have mean 2.5 and squared deviations 5; <(-1.5, -0.5, 0.5, 1.5), (-1.5, 0.5, -0.5, 1.5)> = 4. The
# correlation is 0.8 and the eigenvalues 1 - 0.8 and 1 + 0.8.
MAP = torch.tensor([[1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]])


def generator(seed=4):
    return torch.Generator().manual_seed(seed)


def test_smallest_eigenvalue_by_hand():
    assert smallest_eigenvalue(MAP) == pytest.approx(0.2, rel=1e-12)
    assert smallest_eigenvalue(-5 * MAP.reshape(2, 2, 2) + 7) == pytest.approx(0.2, rel=1e-12)


@pytest.mark.parametrize(
    "feature_map",
    [
        pytest.param(torch.cat([MAP, torch.full((1, 4), 0.1)]), id="constant-channel"),
        pytest.param(torch.cat([MAP, MAP[:1] * 2]), id="dependent-channels"),
        pytest.param(torch.randn(4, 4, generator=generator()), id="as-many-channels-as-pixels"),
        pytest.param(torch.ones(1, 1), id="one-pixel"),
        pytest.param(torch.tensor([1.0, 2.0]), id="vector"),
        pytest.param(torch.tensor(1.0), id="number"),
    ],
)
def test_smallest_eigenvalue_of_singular_matrix_is_exactly_zero(feature_map):
    assert smallest_eigenvalue(feature_map) == 0.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_smallest_eigenvalue_leaves_the_map_as_found(dtype):
    feature_map = MAP.to(dtype)
    before = feature_map.clone()
    smallest_eigenvalue(feature_map)
    assert torch.equal(feature_map, before)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_smallest_eigenvalue_of_one_bad_value_is_diverged(value):
    feature_map = torch.randn(3, 1000, generator=generator())
    feature_map[1, 777] = value
    with pytest.raises(DivergedError, match="a feature map is not finite"):
        smallest_eigenvalue(feature_map)


class ImagesFirst(ImageLayouts):
    """Takes images to come first, whatever is called."""

    def images_first(self, values):
        return values


FEATURES = torch.randn(2, 3, 8, 8, generator=generator())
LAYERS = [
    pytest.param(nn.ReLU(), id="relu"),
    pytest.param(nn.ReLU(inplace=True), id="relu-in-place"),
    pytest.param(nn.ReLU6(), id="relu6"),
    pytest.param(functional.relu, id="functional-relu"),
    pytest.param(torch.relu, id="torch-relu"),
    pytest.param(lambda x: x.relu_(), id="method-in-place"),
    pytest.param(nn.LeakyReLU(0.0, inplace=True), id="leaky-in-place"),
    pytest.param(lambda x: torch.maximum(input=x, other=torch.zeros_like(x)), id="maximum-by-keyword"),
    pytest.param(nn.BatchNorm2d(3), id="batch-norm"),
    pytest.param(nn.BatchNorm2d(3, affine=False, track_running_stats=False), id="plain-batch-norm"),
    pytest.param(nn.AvgPool2d(2), id="average-pooling"),
    pytest.param(nn.MaxPool2d(2), id="max-pooling"),
    pytest.param(lambda x: functional.max_pool2d(x, 2), id="functional-max-pooling"),
    pytest.param(nn.AdaptiveAvgPool2d(4), id="adaptive-pooling"),
    pytest.param(nn.AdaptiveMaxPool2d(4), id="adaptive-max-pooling"),
    pytest.param(nn.Conv2d(3, 2, 3), id="convolution"),
    pytest.param(nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), id="padded-convolution"),
    pytest.param(nn.ConvTranspose2d(3, 2, 3), id="transposed-convolution"),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_counts_once(layer):
    expected = smallest_eigenvalue(layer(FEATURES.clone())[0])
    eigenvalues = EigenvalueSum(ImagesFirst(2))
    with observe_calls(eigenvalues.observe):
        layer(FEATURES.clone())
    assert expected > 0
    assert eigenvalues.total == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("layer", [nn.Identity(), nn.Sequential(), nn.Flatten(), nn.Linear(8, 3)])
def test_others_do_not_count(layer):
    eigenvalues = EigenvalueSum(ImagesFirst(2))
    with observe_calls(eigenvalues.observe):
        layer(FEATURES)
    assert eigenvalues.total == 0.0


def naive_meco_score(network, image):
    """Do the same the plain way: hooks on the leaves of a copy, NumPy."""
    network, values = copy.deepcopy(network).train(), []

    def keep(module, inputs, output):
        channels = output[0].flatten(1).double().numpy()
        with np.errstate(all="ignore"):
            correlation = np.nan_to_num(np.corrcoef(channels), nan=0.0, posinf=0.0, neginf=0.0)
        values.append(np.linalg.eigvalsh(np.atleast_2d(correlation))[0])

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.ReLU | nn.AvgPool2d):
            module.register_forward_hook(keep)
    with torch.no_grad():
        network(image)
    return sum(values)


@pytest.mark.parametrize("cell", CELLS)
def test_meco_score_equals_naive(make_network, cell):
    network, draws = make_network(cell), generator()
    expected = [naive_meco_score(network, torch.randn(1, 3, 32, 32, generator=draws)) for _ in range(2)]
    score = meco_score(network, 3, generator(), image_size=32, repeats=2)
    assert score == pytest.approx(np.mean(expected), rel=1e-9)


def test_batch_norm_repeats_the_value_of_its_convolution():
    # Normalisation of one image changes no correlation between channels.
    convolution = nn.Conv2d(3, 4, 3)
    alone = meco_score(convolution, 3, generator(), image_size=8)
    both = meco_score(nn.Sequential(convolution, nn.BatchNorm2d(4)), 3, generator(), image_size=8)
    assert both == pytest.approx(2 * alone, rel=1e-5)


def test_relu_on_a_vector_adds_nothing():
    convolution = nn.Conv2d(3, 4, 3)
    hidden = (nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    network = nn.Sequential(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *hidden)
    expected = meco_score(convolution, 3, generator(), image_size=8)
    assert meco_score(network, 3, generator(), image_size=8) == pytest.approx(expected, rel=1e-12)


class Tokens(nn.Module):
    """ReLUs of tokens, whose images are along the second axis or the first."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def forward(self, images):
        tokens = images.flatten(2).movedim(0, self.axis)
        return functional.relu(tokens).movedim(self.axis, 0).mean(2)


def test_images_behind_the_tokens_change_no_score():
    first, second = (meco_score(Tokens(axis), 3, generator(), image_size=8) for axis in (0, 1))
    assert second == first > 0


def test_maxima_that_come_with_their_places_count(apply_function):
    network = apply_function(lambda x: x.unflatten(3, (4, 2)).unflatten(2, (4, 2)).movedim(4, 3).flatten(4).max(4)[0])
    pooling = nn.MaxPool2d(2)
    assert meco_score(network, 3, generator(), image_size=8) == meco_score(pooling, 3, generator(), image_size=8) > 0


def test_parts_of_images_among_images_are_refused():
    class Parts(nn.Module):
        def forward(self, images):
            return functional.relu(images.unflatten(2, (2, -1)).movedim(2, 1).flatten(0, 1)).mean()

    with pytest.raises(EvaluationError, match="parts of images along the axis of the images"):
        meco_score(Parts(), 3, generator(), image_size=8)


def test_meco_score_singular_maps_are_degenerate():
    with pytest.raises(DegenerateError, match="linearly dependent"):
        meco_score(nn.Conv2d(3, 70, 1), 3, generator(), image_size=8)


def test_meco_score_without_layers_is_degenerate():
    with pytest.raises(DegenerateError, match="linearly dependent"):
        meco_score(nn.Identity(), 3, generator(), image_size=8)


def test_meco_score_not_finite_map_is_diverged():
    network = nn.Conv2d(3, 2, 1)
    nn.init.constant_(network.weight, float("nan"))
    with pytest.raises(DivergedError, match="not finite"):
        meco_score(network, 3, generator(), image_size=8)


def test_meco_score_leaves_network_untouched(make_network, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: meco_score(network, 3, generator(), image_size=16))


def test_evaluator_is_reproducible_and_depends_on_the_seed(make_context):
    evaluator = Meco(MecoSettings(image_size=32, repeats=1))
    scores = [evaluator.evaluate(make_context(seed=seed)).score for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
