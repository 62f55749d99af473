import copy
import math

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.az_nas_features import (
    AzNasExpressivity,
    AzNasProgressivity,
    block_features,
    channel_entropy,
    expressivity,
    progressivity,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import BatchSettings
from torch import nn

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
IDENTITY = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
SHAPE = (3, 16, 16)

# Channels (a, a, -a, -a) with a^2 = 3 and (1, -1, 1, -1), plus a constant: covariance diag(3, 1), spectrum (3/4, 1/4).
A = math.sqrt(3.0)
FEATURES = torch.tensor([[[A, A], [7.0, 5.0]], [[-A, -A], [7.0, 5.0]]], dtype=torch.float64).reshape(2, 2, 1, 2)
ENTROPY = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)


def generator(seed=4):
    return torch.Generator().manual_seed(seed)


class Blocks(nn.Module):
    """A stem and blocks, as a list."""

    def __init__(self, *blocks):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward_blocks(self, images):
        outputs = []
        for block in self.blocks:
            outputs.append(block(outputs[-1] if outputs else images))
        return outputs

    def forward(self, images):
        return self.forward_blocks(images)[-1]


def test_channel_entropy_by_hand():
    assert channel_entropy(FEATURES) == pytest.approx(ENTROPY, rel=1e-12)


def test_channel_entropy_of_dependent_and_of_independent_channels():
    line = torch.randn(4, 1, 2, 2, generator=generator())
    assert channel_entropy(torch.cat([line, -3 * line], dim=1)) == pytest.approx(0.0, abs=1e-12)
    white = torch.eye(8)[:, :, None, None]
    assert channel_entropy(white) == pytest.approx(math.log(7), rel=1e-12)  # centring takes one dimension


def test_expressivity_and_progressivity_by_hand():
    line = FEATURES[:, :1]
    assert expressivity([line, FEATURES, FEATURES]) == pytest.approx(2 * ENTROPY, rel=1e-12)
    assert progressivity([line, FEATURES, line]) == pytest.approx(-ENTROPY, rel=1e-12)
    assert progressivity([line, FEATURES]) == pytest.approx(ENTROPY, rel=1e-12)


def naive_entropies(network, shape, batch_size, draws):
    """Do the same the plain way: change a copy, run stage by stage, NumPy."""
    network = copy.deepcopy(network).train()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, generator=draws)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    images = torch.randn((batch_size, *shape), generator=draws)
    entropies = []
    with torch.no_grad():
        features = network.stem(images)
        for block in [nn.Identity(), *network.stages[0], *network.stages[1], *network.stages[2]]:
            features = block(features)
            rows = features.permute(1, 0, 2, 3).flatten(1).double().numpy()
            spectrum = np.linalg.eigvalsh(np.cov(rows))
            spectrum = spectrum / spectrum.sum()
            entropies.append(-(spectrum * np.log(spectrum + 1e-8)).sum())
    return np.array(entropies)


@pytest.mark.parametrize("cell", CELLS)
def test_scores_equal_naive(make_network, cell):
    network = make_network(cell)
    features = block_features(network, SHAPE, 8, generator())
    expected = naive_entropies(network, SHAPE, 8, generator())
    assert len(features) == len(expected) == 6  # stem, three cells, two reduction blocks
    # The plain version keeps the 1e-8 of the authors' logarithm, at most 1e-8 for each of the 16 channels at most, and
    # adds up single precision in another order.
    assert expressivity(features) == pytest.approx(expected.sum(), abs=6 * 16e-8, rel=1e-6)
    assert progressivity(features) == pytest.approx(np.diff(expected).min(), abs=1e-6)


def test_identity_cells_gain_nothing(make_network):
    features = block_features(make_network(IDENTITY), SHAPE, 8, generator())
    assert features[1] is features[0]
    assert progressivity(features) <= 0.0


def test_scores_do_not_depend_on_the_networks_weights_and_mode(make_network):
    features = [
        block_features(network, SHAPE, 8, generator()) for network in (make_network(seed=1).eval(), make_network())
    ]
    assert expressivity(features[0]) == expressivity(features[1])


@pytest.mark.parametrize("measure", [expressivity, progressivity])
def test_dead_cell_is_degenerate(make_network, measure):
    features = block_features(make_network(DEAD), SHAPE, 8, generator())
    with pytest.raises(DegenerateError, match="output of a block is constant"):
        measure(features)


def test_constant_channels_beside_zero_are_degenerate():
    with pytest.raises(DegenerateError, match="constant"):
        channel_entropy(torch.full((3, 2, 2, 2), 0.1))


def test_not_finite_output_is_diverged():
    with pytest.raises(DivergedError, match="not finite"):
        block_features(Blocks(nn.Identity(), nn.Threshold(9.0, float("nan"))), SHAPE, 2, generator())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_bad_value_is_diverged(value):
    class Bad(nn.Module):
        def forward(self, features):
            features = features.clone()
            features[-1, 2, 7, 5] = value
            return features

    with pytest.raises(DivergedError, match="not finite"):
        block_features(Blocks(nn.Identity(), Bad()), SHAPE, 2, generator())


def test_a_stem_alone_is_an_error():
    with pytest.raises(EvaluationError, match="at least one block"):
        block_features(Blocks(nn.Identity()), SHAPE, 2, generator())


def test_block_features_leaves_network_untouched(make_network, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: block_features(network, SHAPE, 2, generator()))


@pytest.mark.parametrize("evaluator_type", [AzNasExpressivity, AzNasProgressivity])
def test_evaluator_is_reproducible_and_depends_on_the_seed(make_context, evaluator_type):
    evaluator = evaluator_type(BatchSettings(batch_size=2))
    scores = [evaluator.evaluate(make_context(seed=seed)).score for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
