import copy
import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.zen import FeatureProbe, Zen, zen_score
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import ZenSettings
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
SHAPE = (3, 16, 16)


def generator(seed=4):
    return torch.Generator().manual_seed(seed)


class Pooled(nn.Module):
    """Layers, a pooling that is a function, and nothing else."""

    def __init__(self, *layers, pool=lambda x: x.mean(dim=(2, 3))):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.pool = pool

    def forward(self, images):
        return self.pool(self.layers(images))


def test_zen_score_of_one_weight():
    # f(x) = w x on one pixel of one image, no batch norm: the score is log(0.01 |w e|).
    draws = generator()
    weight, _, noise = (torch.randn((1, 1, 1, 1), generator=draws).item() for _ in range(3))
    score = zen_score(Pooled(nn.Conv2d(1, 1, 1)), (1, 1, 1), generator(), batch_size=1)
    assert score == pytest.approx(math.log(0.01 * abs(weight * noise)), abs=1e-4)


POOLINGS = [
    pytest.param(lambda x: x.mean(dim=(2, 3)), id="mean-method"),
    pytest.param(lambda x: torch.mean(x, (-1, -2), keepdim=True), id="mean-function"),
    pytest.param(lambda x: x.flatten(2).mean(-1), id="mean-of-flat"),
    pytest.param(lambda x: x.sum((2, 3)) / 16, id="sum-method"),
    pytest.param(lambda x: torch.sum(x, dim=(2, 3)), id="sum-function"),
    pytest.param(lambda x: functional.adaptive_avg_pool2d(x, 1).mean((2, 3)), id="mean-of-pooled"),
    pytest.param(lambda x: functional.adaptive_avg_pool2d(x, 1), id="adaptive-function"),
    pytest.param(nn.AdaptiveAvgPool2d(1), id="adaptive-module"),
    pytest.param(nn.AvgPool2d(4), id="fixed-module"),
    pytest.param(lambda x: functional.avg_pool2d(input=x, kernel_size=4), id="fixed-by-keyword"),
]


@pytest.mark.parametrize("pool", POOLINGS)
def test_zen_score_finds_the_map_before_any_global_pooling(pool):
    layers = (nn.Conv2d(1, 2, 3, padding=1), nn.AvgPool2d(2))
    expected = zen_score(Pooled(*layers), (1, 8, 8), generator())
    assert zen_score(Pooled(*layers, pool=pool), (1, 8, 8), generator()) == pytest.approx(expected, rel=1e-12)


class SqueezeAndExcite(nn.Module):
    """Multiplies each channel by a factor made of the means of all, normalised on the way."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Sigmoid())

    def forward(self, maps):
        return maps * self.layers(maps)


@pytest.mark.parametrize("layers", [(), (nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2))], ids=["last", "not-last"])
@pytest.mark.parametrize("pool", [pool for pool in POOLINGS if "fixed" not in pool.id])
def test_zen_score_pools_of_squeeze_and_excitation_are_not_the_last(layers, pool):
    class Gated(nn.Module):
        """The same with the means by a pooling that is none of zen's."""

        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, maps):
            return maps * self.inner.layers[1:](functional.conv2d(maps, torch.full((2, 1, 8, 8), 1 / 64), groups=2))

    before, gate = (nn.Conv2d(1, 2, 3, padding=1),), SqueezeAndExcite()
    expected = zen_score(Pooled(*before, Gated(gate), *layers), (1, 8, 8), generator())
    score = zen_score(Pooled(*before, gate, *layers, pool=pool), (1, 8, 8), generator())
    assert score == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "pool",
    [
        pytest.param(lambda x: x.amax((2, 3)), id="maxima"),
        pytest.param(lambda x: x.flatten(1), id="flat"),
    ],
)
def test_zen_score_without_mean_of_the_last_map_is_an_error(pool):
    with pytest.raises(EvaluationError, match="no mean or sum to one value a channel ran behind the last map"):
        zen_score(Pooled(nn.Conv2d(1, 2, 3, padding=1), SqueezeAndExcite(), pool=pool), (1, 8, 8), generator())


@pytest.mark.parametrize("variance", ["batch", "running"])
def test_zen_score_normalisation_behind_the_pooling_does_not_count(variance):
    layers = (nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(2), nn.BatchNorm1d(2, affine=False))
    expected = zen_score(Pooled(*layers), (1, 8, 8), generator(), variance=variance)
    assert zen_score(Pooled(*layers, pool=head), (1, 8, 8), generator(), variance=variance) == expected


def test_probe_takes_the_mean_variance_of_the_channels():
    # Channels (1, 3) and (0, 4) have variances 1 and 4, on average 2.5.
    features = torch.tensor([[1.0, 0.0], [3.0, 4.0]])[:, :, None, None]
    probe = FeatureProbe(with_variances=True)
    with observe_calls(probe.observe):
        nn.BatchNorm2d(2)(features)
        functional.batch_norm(input=2 * features, running_mean=None, running_var=None, training=True)
    assert [norm.variance.item() for norm in probe.norms] == [2.5, 10.0]
    assert [norm.running is None for norm in probe.norms] == [False, True]


def test_probe_takes_a_constant_for_a_constant():
    probe = FeatureProbe(with_variances=True)
    with observe_calls(probe.observe):
        nn.BatchNorm2d(2)(torch.full((7, 2, 3, 3), 0.1))
    assert probe.norms[0].variance == 0.0


def naive_zen_score(network, shape, draws, variance, batch_size, repeats=1):
    """Do the same the plain way: change a copy, hook its modules."""
    network, scores = copy.deepcopy(network).train(), []
    for _ in range(repeats):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.data.normal_(generator=draws)
                if module.bias is not None:
                    module.bias.data.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        images = torch.randn((batch_size, *shape), generator=draws)
        noise = torch.randn((batch_size, *shape), generator=draws)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        variances, maps = {}, []

        def keep(module, inputs, output, variances=variances):
            variances.setdefault(module, inputs[0].double().var(dim=(0, 2, 3), correction=0).mean())

        hooks = [norm.register_forward_hook(keep) for norm in norms]
        hooks.append(
            network.final_activation.register_forward_hook(lambda m, i, output, maps=maps: maps.append(output))
        )
        with torch.no_grad():
            network(images)
            network(images + 0.01 * noise)
        for hook in hooks:
            hook.remove()
        if variance == "running":
            variances = {norm: norm.running_var.double().mean() for norm in norms}
        score = (maps[0].double() - maps[1].double()).abs().sum(dim=(1, 2, 3)).mean().log()
        scores.append(score + sum(value.sqrt().log() for value in variances.values() if value > 0))
    return (sum(scores) / repeats).item()


@pytest.mark.parametrize("variance", ["batch", "running"])
@pytest.mark.parametrize("cell", CELLS)
def test_zen_score_equals_naive(make_network, cell, variance):
    network = make_network(cell)
    score = zen_score(network, SHAPE, generator(), batch_size=8, repeats=2, variance=variance)
    expected = naive_zen_score(network, SHAPE, generator(), variance, 8, repeats=2)
    assert score == pytest.approx(expected, rel=1e-5)


def test_running_variance_mixes_the_initial_one_with_both_passes():
    # With momentum 0.1 twice the statistics are 0.81 + 0.09 v1 + 0.1 v2.
    network = Pooled(nn.Identity(), nn.BatchNorm2d(1))
    draws = generator()
    images, noise = (torch.randn((5, 1, 2, 2), generator=draws) for _ in range(2))
    first, second = images.var(), (images + 0.01 * noise).var()
    running = zen_score(network, (1, 2, 2), generator(), batch_size=5, variance="running")
    batch = zen_score(network, (1, 2, 2), generator(), batch_size=5)
    expected = 0.5 * torch.log((0.81 + 0.09 * first + 0.1 * second) / images.var(correction=0))
    assert running - batch == pytest.approx(expected.item(), abs=1e-5)


def test_zen_score_does_not_depend_on_the_networks_weights_and_mode(make_network):
    assert zen_score(make_network(seed=1).eval(), SHAPE, generator()) == zen_score(make_network(), SHAPE, generator())


def test_zen_score_without_tracked_statistics(make_network):
    network = make_network(variant="gennas")
    assert math.isfinite(zen_score(network, SHAPE, generator()))
    with pytest.raises(EvaluationError, match="needs running statistics"):
        zen_score(network, SHAPE, generator(), variance="running")


def test_constant_input_of_a_batch_norm_does_not_count():
    alone = Pooled(nn.Conv2d(1, 2, 1, bias=False), nn.BatchNorm2d(2))

    class WithDeadBranch(nn.Module):
        def __init__(self):
            super().__init__()
            self.alone, self.dead = alone, nn.BatchNorm2d(2)

        def forward(self, images):
            features = self.alone.layers(images)
            return (features + self.dead(torch.zeros_like(features))).mean(dim=(2, 3))

    expected = zen_score(alone, (1, 4, 4), generator())
    assert zen_score(WithDeadBranch(), (1, 4, 4), generator()) == pytest.approx(expected, rel=1e-12)


def test_zen_score_dead_cell_is_degenerate(make_network):
    with pytest.raises(DegenerateError, match="no path"):
        zen_score(make_network(DEAD), SHAPE, generator())


def test_zen_score_drops_the_same_in_both_passes():
    # One half of the map is dropped, the other doubled. Other masks in the second pass would change the map a hundred
    # times as much as the noise does.
    layers = (nn.Conv2d(3, 4, 1, bias=False), nn.Flatten(2))
    whole = zen_score(Pooled(*layers, pool=lambda x: x.mean(-1)), SHAPE, generator())
    state = torch.get_rng_state()
    half = zen_score(Pooled(*layers, nn.Dropout(0.5), pool=lambda x: x.mean(-1)), SHAPE, generator())
    assert half == pytest.approx(whole, abs=0.05)
    assert torch.equal(torch.get_rng_state(), state)


def test_zen_score_without_pooling_is_an_error():
    with pytest.raises(EvaluationError, match="network with global average pooling"):
        zen_score(nn.Conv2d(1, 1, 3), (1, 8, 8), generator())


def test_zen_score_overflow_is_diverged():
    class Explode(nn.Module):
        def forward(self, images):
            return images * 1e38 * 1e38

    with pytest.raises(DivergedError, match="not finite"):
        zen_score(Pooled(Explode()), (1, 8, 8), generator())


def test_zen_score_leaves_network_untouched(make_network, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: zen_score(network, SHAPE, generator(), variance="running"))


def test_evaluator_is_reproducible_and_depends_on_the_seed(make_context):
    evaluator = Zen(ZenSettings(batch_size=2, repeats=1))
    scores = [evaluator.evaluate(make_context(seed=seed)).score for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
