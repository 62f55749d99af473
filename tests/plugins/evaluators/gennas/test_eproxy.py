import copy
import math
from itertools import pairwise

import pytest
import torch
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError, InvalidSettingError
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.evaluators.gennas.eproxy import check_path, train
from nasbench_toolkit.plugins.evaluators.gennas.eproxy_network import (
    EproxyNetwork,
    convolution,
    draw_target,
    random_crop,
    random_network_maps,
)
from nasbench_toolkit.plugins.evaluators.gennas.settings import EproxySettings
from nasbench_toolkit.plugins.evaluators.gennas.signals import sin2d
from nasbench_toolkit.plugins.evaluators.gennas.task import frequency_grid
from torch import nn
from torch.nn import functional

SMALL = {"head_channels": 8, "target_channels": 4, "iterations": 3}


def generator(seed=4):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def build(make_network, images):
    """Build a small network with its targets."""

    def make(branches=1, **options):
        settings = EproxySettings(branches=branches, **SMALL | options)
        channels = [32, 16, 8][:branches]
        network = EproxyNetwork(make_network(), channels, settings.head_channels, settings.target_channels, generator())
        targets = [draw_target(images, settings.target_channels, generator(branch)) for branch in range(branches)]
        return network, targets, settings

    return make


def test_random_crop_by_hand():
    # Offsets (0, 2) of a frame of one pixel: one row of black comes in from above, one column from the right.
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    cut = random_crop(image, torch.tensor([-9.0]), torch.tensor([[0, 2]]), padding=1)
    assert cut.tolist() == [[[[-9.0, -9.0], [2.0, -9.0]]]]
    assert torch.equal(random_crop(image, torch.tensor([-9.0]), torch.tensor([[1, 1]]), padding=1), image)


def test_convolution_starts_as_pytorch_does_without_the_global_generator():
    state = torch.get_rng_state()
    layer = convolution(64, 100, generator())
    assert torch.equal(torch.get_rng_state(), state)
    bound = 1 / math.sqrt(64 * 9)
    for parameter in (layer.weight, layer.bias):
        assert 0.9 * bound < parameter.abs().max() <= bound
    assert layer.weight.var().item() == pytest.approx(bound**2 / 3, rel=0.02)
    assert torch.equal(layer.weight, convolution(64, 100, generator()).weight)


def test_target_is_random_network_plus_high_sines(images):
    target, draws = draw_target(images, 5, generator()), generator()
    sines = sin2d(torch.tensor(frequency_grid("H10"), dtype=torch.float64), (4, 5), draws)
    maps = random_network_maps(images, 5, draws)
    assert maps.shape == (4, 5, 8, 8)
    assert maps.abs().max() == 1.0
    assert not torch.allclose(maps[0], maps[1])
    assert torch.equal(target, maps + sines.float())


def test_random_network_is_six_convolutions_two_of_them_pooled(images):
    draws = generator()
    layers = [convolution(*widths, draws) for widths in pairwise((3, 64, 128, 256, 512, 1024, 5))]
    maps = images
    for number, layer in enumerate(layers[:-1]):
        maps = functional.relu(nn.BatchNorm2d(layer.out_channels)(layer(maps)))
        maps = functional.max_pool2d(maps, 2) if number in (0, 1) else maps
    maps = layers[-1](maps)
    torch.testing.assert_close(random_network_maps(images, 5, generator()), (maps / maps.abs().max()).detach())


def test_branches_are_heads_and_barriers_on_every_nth_pixel_the_last_stage_first(make_network, images):
    network = EproxyNetwork(make_network(), [32, 16], 6, 4, generator()).train()
    outputs = network(images)
    stages = network.backbone.forward_stages(images)
    for output, features, (convolved, *_, normalised), barrier in zip(
        outputs, (stages[2], stages[1][..., ::2, ::2]), network.heads, network.barriers, strict=True
    ):
        hidden = functional.conv2d(features, convolved.weight, convolved.bias, padding=1).clamp(min=0)
        mean, variance = hidden.mean(dim=(0, 2, 3)), hidden.var(dim=(0, 2, 3), correction=0)
        hidden = (hidden - mean[:, None, None]) / (variance[:, None, None] + normalised.eps).sqrt()
        torch.testing.assert_close(output, functional.conv2d(hidden, barrier.weight, barrier.bias, padding=1))


def naive_score(network, images, targets, settings):
    """Do the same the plain way, on a copy, with all parameters but the barriers' in one optimiser."""
    network = copy.deepcopy(network).train()
    trained = [parameter for name, parameter in network.named_parameters() if "barriers" not in name]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)
    for _ in range(settings.iterations):
        features = network.backbone.forward_stages(images)[::-1]
        losses = []
        for branch, target in enumerate(targets):
            small = functional.interpolate(features[branch], (8, 8))
            output = network.barriers[branch](network.heads[branch](small))
            losses.append(((output - target) ** 2).mean())
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
    return sum(loss.item() / 2**branch for branch, loss in enumerate(losses))


@pytest.mark.parametrize("branches", [1, 2, 3])
def test_score_equals_naive(build, images, branches):
    network, targets, settings = build(branches)
    expected = naive_score(network, images, targets, settings)
    assert train(network, images, targets, settings).score == pytest.approx(expected, rel=1e-5)


def test_curves_are_plain_and_weighted_sums_of_the_branches(build, images):
    network, targets, settings = build(2, iterations=1)
    with torch.no_grad():
        first, second = (
            functional.mse_loss(output, target).item()
            for output, target in zip(copy.deepcopy(network).train()(images), targets, strict=True)
        )
    evaluation = train(network, images, targets, settings)
    assert evaluation.curves["train_loss"] == pytest.approx((first + second,), rel=1e-6)
    assert evaluation.curves["score_loss"] == pytest.approx((first + second / 2,), rel=1e-6)


def test_barriers_are_not_trained(build, images):
    network, targets, settings = build(1)
    before = copy.deepcopy(network)
    train(network, images, targets, settings)
    assert all(map(torch.equal, network.barriers.parameters(), before.barriers.parameters()))
    assert not torch.equal(network.heads[0][0].weight, before.heads[0][0].weight)
    first = network.backbone.stages[0][0].weight
    assert not torch.equal(first, before.backbone.stages[0][0].weight)


def test_multiply_adds_scale_the_loss(build, images):
    plain = train(*(lambda n, t, s: (n, images, t, s))(*build(1))).score
    network, targets, settings = build(1, mac_weight=0.1, max_macs=200.0)
    assert train(network, images, targets, settings, macs=100).score == pytest.approx(0.95 * plain, rel=1e-12)


def test_defaults_are_those_of_the_authors_for_nasbench101():
    assert EproxySettings().effective() == {
        "iterations": 10, "learning_rate": 1.2, "momentum": 0.9, "weight_decay": 4e-5, "batch_size": 16,
        "network": "benchmark", "branches": 1, "head_channels": 512, "target_channels": 64, "mac_weight": 0.0,
        "max_macs": None,
    }  # fmt: skip


def test_multiply_adds_need_a_maximum():
    with pytest.raises(InvalidSettingError, match="'mac_weight' needs 'max_macs'"):
        parse_settings("eproxy", EproxySettings, {"mac_weight": "0.1"})


def test_loss_that_is_not_finite_is_diverged(build, images):
    network, targets, settings = build(1, learning_rate=1e30)
    with pytest.raises(DivergedError, match="at iteration"):
        train(network, images, targets, settings)


class Disconnected(nn.Module):
    def forward_stages(self, images):
        return [images.repeat(1, 8, 1, 1)[:, :, ::factor, ::factor] * (factor < 4) for factor in (1, 2, 4)]


def test_network_without_path_is_degenerate(images):
    with pytest.raises(DegenerateError, match="do not depend on the image"):
        check_path(Disconnected(), images)


def test_check_path_leaves_the_network_as_found(make_network, images):
    network = make_network()
    before = copy.deepcopy(network)
    check_path(network, images)
    assert network.training
    assert all(torch.equal(value, before.state_dict()[name]) for name, value in network.state_dict().items())


def test_evaluator_scores_a_network(score):
    record = score("eproxy")
    assert record.status is Status.OK, record.message
    assert len(record.curves["train_loss"]) == 10
    assert record.score == record.curves["score_loss"][-1]
    assert record.curves == score("eproxy").curves


def test_settings_reach_the_training(score):
    plain = score("eproxy", **SMALL).score
    for setting, value in {
        "iterations": 2, "learning_rate": 0.1, "network": "gennas", "branches": 2, "head_channels": 9,
        "target_channels": 5, "batch_size": 8,
    }.items():  # fmt: skip
        changed = score("eproxy", **SMALL | {setting: value})
        assert changed.status is Status.OK, changed.message
        assert changed.score != plain, setting
    assert score("eproxy", **SMALL, mac_weight=0.1, max_macs=1e7).score < plain


def test_target_and_crop_are_shared_by_architectures_and_depend_on_the_seed(score, monkeypatch):
    seen = []
    path = "nasbench_toolkit.plugins.evaluators.gennas.eproxy.train"
    monkeypatch.setattr(path, lambda network, images, targets, *rest: (
        seen.append((images, targets[0])) or train(network, images, targets, *rest)
    ))  # fmt: skip
    for arch, seed in (("3", 0), ("4", 0), ("4", 1)):
        score("eproxy", arch, seed, **SMALL)
    assert all(map(torch.equal, seen[0], seen[1]))
    assert not any(map(torch.equal, seen[0], seen[2]))
    # Grey images of 32x32 pixels; black is -0.5 / 0.3 after normalisation and frames some of them.
    assert seen[0][0].shape == (16, 1, 32, 32)
    assert seen[0][0].min() == pytest.approx(-0.5 / 0.3)


def test_crops_start_at_any_place_of_the_frame(score, monkeypatch):
    offsets, paddings = [], set()

    def look(images, black, drawn, padding):
        offsets.append(drawn)
        paddings.add(padding)
        raise EvaluationError("enough was seen")

    monkeypatch.setattr("nasbench_toolkit.plugins.evaluators.gennas.eproxy.random_crop", look)
    for seed in range(8):
        assert score("eproxy", seed=seed, **SMALL).message == "enough was seen"
    # Of 256 draws one of nine places is missing once in 10**12 times.
    assert set(torch.cat(offsets).flatten().tolist()) == set(range(9))
    assert paddings == {4}
