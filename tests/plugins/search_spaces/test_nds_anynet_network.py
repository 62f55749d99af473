from itertools import pairwise

import pytest
import torch
from nasbench_toolkit.plugins.evaluators.macs import count_macs
from nasbench_toolkit.plugins.search_spaces.nds.anynet.design import RESNET, RESNEXT_A, RESNEXT_B
from nasbench_toolkit.plugins.search_spaces.nds.anynet.layout import (
    NetworkLayout,
    StageLayout,
    benchmark_layout,
    scored_layout,
)
from nasbench_toolkit.plugins.search_spaces.nds.anynet.network import AnyNet
from torch import nn
from torch.nn import functional

SMALL = "d1w32r2g2 d2w32r2g4 d1w64r4g1"


def build(layout, num_classes=10, input_channels=3):
    torch.manual_seed(0)
    return AnyNet(layout, input_channels=input_channels, num_classes=num_classes)


def build_design(definition, text, num_classes=10, *, imagenet=False):
    return build(benchmark_layout(definition, definition.parse(text), imagenet=imagenet), num_classes)


def count_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


# Records of the release.
@pytest.mark.parametrize(
    ("definition", "text", "side", "num_classes", "params", "flops"),
    [
        (RESNEXT_A, "d16w64r4g2 d1w128r4g1 d4w16r4g2", 32, 10, 83_002, None),
        (RESNET, "d12w24 d12w24 d12w40", 32, 10, 594_138, None),
        (RESNET, "d2w32 d3w128 d3w160", 32, 10, 2_174_234, 322_469_450),
        (RESNEXT_A, "d2w16r4g2 d2w128r2g4 d2w128r4g2", 224, 1000, 277_592, 115_707_848),
        (RESNEXT_B, "d1w1024r4g4 d1w128r1g4 d4w64r2g16", 224, 1000, 964_616, 638_204_936),
    ],
)
def test_counts_are_those_of_the_release(definition, text, side, num_classes, params, flops):
    network = build_design(definition, text, num_classes, imagenet=num_classes == 1000)
    assert count_parameters(network) == params
    if flops is not None:
        assert count_macs(network, (3, side, side)) + 5 * count_normalised(network, side) + num_classes == flops


def count_normalised(network, side):
    """Return how many values batch normalisation takes for one image; the release counts five operations for each."""
    counts = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _, inputs, __: counts.append(inputs[0].numel()))
    network.eval()(torch.zeros(1, 3, side, side))
    return sum(counts)


# Counted by hand: the extra stem and stage, and groups of as many channels as the record has groups.
def test_networks_that_were_scored_have_one_more_stage():
    stages = RESNEXT_A.parse(SMALL)
    layout = scored_layout(RESNEXT_A, stages, "conv3", 16)
    assert layout == NetworkLayout(
        "conv3",
        12,
        "bottleneck",
        (
            StageLayout(1, 16, 1, 16, 16),
            StageLayout(1, 32, 1, 16, 8),
            StageLayout(2, 32, 2, 16, 4),
            StageLayout(1, 64, 2, 16, 16),
        ),
    )
    basic = scored_layout(RESNET, RESNET.parse("d1w16 d1w24 d1w40"), "conv7-pool", 16)
    assert [stage.groups for stage in basic.stages] == [1, 1, 1, 1]
    assert [tuple(map_.shape[1:]) for map_ in build(basic).forward_stages(torch.zeros(2, 3, 32, 32))] == [
        (16, 8, 8),
        (24, 4, 4),
        (40, 2, 2),
    ]
    extra = 12 * 27 + 24 + (12 * 16 + 32 + 16 * 9 + 32 + 16 * 16 + 32) + (12 * 16 + 32)
    true_stem = 16 * 27 + 32
    grouped = [(16 * 9 * 2, 1), (16 * 9 * 4, 2), (16 * 9 * 1, 1)]
    true_grouped = [(16 * 9 * 8, 1), (16 * 9 * 4, 2), (16 * 9 * 16, 1)]
    difference = sum(a * n for a, n in grouped) - sum(a * n for a, n in true_grouped)
    true = count_parameters(build_design(RESNEXT_A, SMALL))
    assert count_parameters(build(layout)) == true + extra - true_stem + difference


def plain_conv_bn(x, layers, *, stride=1, groups=1):
    conv, norm = layers
    x = functional.conv2d(x, conv.weight, None, stride, conv.weight.shape[-1] // 2, 1, groups)
    return functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True)


def test_forward_is_the_published_network():
    network = build_design(RESNEXT_A, SMALL).double()
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    x = functional.relu(plain_conv_bn(images, network.stem[0]))
    before_relu = []
    for stage, groups, first_stride in zip(network.stages, (2, 4, 1), (1, 2, 2), strict=True):
        for number, block in enumerate(stage):
            stride = first_stride if number == 0 else 1
            branch = functional.relu(plain_conv_bn(x, block.branch[0]))
            branch = functional.relu(plain_conv_bn(branch, block.branch[2], stride=stride, groups=groups))
            branch = plain_conv_bn(branch, block.branch[4])
            changes = x.shape != branch.shape
            assert isinstance(block.shortcut, nn.Identity) != changes
            total = branch + (plain_conv_bn(x, block.shortcut, stride=stride) if changes else x)
            x = functional.relu(total)
        before_relu.append(total)
    logits = x.mean(dim=(2, 3)) @ network.classifier.weight.T + network.classifier.bias
    torch.testing.assert_close(network(images), logits)
    for stage, expected in zip(network.forward_stages(images), before_relu, strict=True):
        torch.testing.assert_close(stage, expected)
        assert bool((stage < 0).any())


def test_stages_fit_gennas_and_images_of_imagenet():
    network = build_design(RESNEXT_A, SMALL)
    shapes = [tuple(stage.shape) for stage in network.forward_stages(torch.zeros(2, 3, 32, 32))]
    assert shapes == [(2, 32, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)]
    large = build_design(RESNEXT_A, SMALL, imagenet=True)
    assert [stage.shape[-1] for stage in large.forward_stages(torch.zeros(2, 3, 64, 64))] == [8, 4, 2]
    assert large.stem[4][0].out_channels == 64


def test_blocks_are_stem_and_blocks_each_fed_by_the_one_before():
    network = build_design(RESNEXT_A, SMALL).eval()
    images = torch.randn(2, 3, 16, 16)
    blocks = network.forward_blocks(images)
    assert [tuple(block.shape[1:]) for block in blocks] == [
        (16, 16, 16),
        (32, 16, 16),
        (32, 8, 8),
        (32, 8, 8),
        (64, 4, 4),
    ]
    torch.testing.assert_close(network.classifier(blocks[-1].mean(dim=(2, 3))), network(images))
    for source, output in pairwise(blocks):
        (gradient,) = torch.autograd.grad(output.sum(), source, retain_graph=True, allow_unused=True)
        assert gradient is not None


def test_initial_weights():
    network = build_design(RESNET, "d1w64 d1w128 d1w256")
    kernel = network.stages[2][0].branch[0][0].weight.detach()
    assert kernel.shape == (256, 128, 3, 3)
    assert kernel.std().item() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.02)
    assert network.classifier.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert not network.classifier.bias.any()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(bool((norm.weight == 1).all()) and not norm.bias.any() for norm in norms)


def test_initial_weights_of_groups_count_the_channels_of_all_of_them():
    network = build_design(RESNEXT_A, "d1w64r1g1 d1w128r1g1 d1w256r1g4")
    kernel = network.stages[2][0].branch[2][0].weight.detach()
    assert kernel.shape == (256, 64, 3, 3)
    assert kernel.std().item() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.02)
