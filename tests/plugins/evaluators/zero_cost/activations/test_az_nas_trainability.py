import copy

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.az_nas_features import block_features
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.az_nas_trainability import (
    AzNasTrainability,
    trainability,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import BatchSettings
from torch import nn
from torch.nn import functional

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]
SHAPE = (3, 16, 16)


def generator(seed=4):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def stem():
    """Give a feature map of one channel to build blocks on."""
    return torch.randn(2, 1, 4, 4, generator=generator()).requires_grad_()


def test_trainability_of_a_scaling_block(stem):
    # One channel: g_in = 3 g_out and g_out^2 = 1, so sigma = 3.
    assert trainability([stem, 3 * stem], generator()) == pytest.approx(2 - 3 - 1 / 3, abs=1e-6)


def test_trainability_of_a_pooling_block(stem):
    # g_in is g_out / 4 on 2 x 2 pixels, which become four channels: sigma = |(1/4, 1/4, 1/4, 1/4)| = 1/2.
    pooled = functional.avg_pool2d(stem, 2)
    assert trainability([stem, pooled], generator()) == pytest.approx(2 - 0.5 - 2, abs=1e-5)


def test_trainability_is_the_mean_over_blocks_and_each_ends_at_its_input(stem):
    double = 2 * stem
    expected = np.mean([2 - 2 - 1 / 2, 2 - 3 - 1 / 3])
    assert trainability([stem, double, 3 * double], generator()) == pytest.approx(expected, abs=1e-6)


def test_sign_flip_is_perfectly_trainable(stem):
    assert trainability([stem, -stem], generator()) == pytest.approx(0.0, abs=2e-6)


def naive_trainability(network, shape, batch_size, draws, signs):
    """Do the same the plain way: change a copy, differentiate its weights as well, average outer products."""
    network = copy.deepcopy(network).train()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, generator=draws)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    features = [network.stem(torch.randn((batch_size, *shape), generator=draws))]
    for block in [*network.stages[0], *network.stages[1], *network.stages[2]]:
        features.append(block(features[-1]))
    scores = []
    for source, output in zip(features[-2::-1], features[:0:-1], strict=True):
        g_out = 2.0 * torch.empty(output.shape).random_(0, 2, generator=signs) - 1.0
        (g_in,) = torch.autograd.grad(output, source, g_out, retain_graph=True)
        if g_in.shape[2:] != g_out.shape[2:]:
            g_in = nn.PixelUnshuffle(2)(g_in)
        outer = torch.einsum("nihw,nohw->io", g_in.double(), g_out.double()) / g_out[:, 0].numel()
        sigma = np.linalg.svd(outer.numpy(), compute_uv=False).max()
        scores.append(2 - sigma - 1 / (sigma + 1e-6))
    return np.mean(scores)


@pytest.mark.parametrize("cell", CELLS)
def test_trainability_equals_naive(make_network, cell):
    network = make_network(cell)
    features = block_features(network, SHAPE, 8, generator(), differentiable=True)
    expected = naive_trainability(network, SHAPE, 8, generator(), generator(8))
    assert trainability(features, generator(8)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        pytest.param("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "no gradient", id="dead"),
        pytest.param("|none~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|", "no gradient", id="from-zero-node"),
        pytest.param("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", "identity", id="identity"),
    ],
)
def test_cells_without_trainability_are_degenerate(make_network, cell, message):
    features = block_features(make_network(cell), SHAPE, 4, generator(), differentiable=True)
    with pytest.raises(DegenerateError, match=message):
        trainability(features, generator())


def test_block_whose_output_depends_on_nothing_is_degenerate(stem):
    with pytest.raises(DegenerateError, match="block 1 passes no gradient"):
        trainability([stem, torch.randn(2, 1, 4, 4)], generator())


def test_not_finite_gradient_is_diverged(stem):
    with pytest.raises(DivergedError, match="block 1 is not finite"):
        trainability([stem, (stem * 0.0).sqrt()], generator())


def test_resolutions_without_whole_factor_are_an_error(stem):
    with pytest.raises(EvaluationError, match="4x4 pixels to 3x3, no whole factor"):
        trainability([stem, 2 * stem[:, :, :3, :3]], generator())


def test_trainability_leaves_network_untouched(make_network, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(
        network,
        lambda network: trainability(block_features(network, SHAPE, 2, generator(), differentiable=True), generator()),
    )


def test_evaluator_is_reproducible_and_depends_on_the_seed(make_context):
    evaluator = AzNasTrainability(BatchSettings(batch_size=2))
    scores = [evaluator.evaluate(make_context(seed=seed)).score for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
