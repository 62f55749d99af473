import pytest
import torch
from nasbench_toolkit.plugins.datasets import PHOTOS
from nasbench_toolkit.plugins.evaluators.macs import count_macs
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from torch import nn
from torch.nn import functional


class Apply(nn.Module):
    """Network made of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def test_count_macs_nasbench201_index_13714():
    arch_id = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    network = NASBENCH201.create().build_network(arch_id, PHOTOS)
    assert count_macs(network, (3, 32, 32)) == 153_272_960
    assert count_macs(network, (3, 32, 32)) - count_macs(network.classifier, (1, 1, 64)) == 153_272_320


# Outputs x fan-in: a group of 2 channels and 3x3 pixels gives fan-in 18, stride 2 leaves 4x4 of 8x8 pixels.
# The transposed layers scatter each of 4 x 8 x 8 inputs to 3 channels of 2x2 pixels, whatever is cropped.
LAYERS = [
    pytest.param(nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), 6 * 16 * 18, id="grouped-conv2d"),
    pytest.param(nn.Sequential(nn.Flatten(), nn.Linear(256, 5)), 256 * 5, id="linear"),
    pytest.param(nn.Linear(8, 5), 4 * 8 * 5 * 8, id="linear-on-last-dimension"),
    pytest.param(nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 2, 1)), 2 * 64 * 4, id="conv1d"),
    pytest.param(nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Conv3d(2, 1, 1)), 128 * 2, id="conv3d"),
    pytest.param(nn.ConvTranspose2d(4, 3, 2, stride=2), 4 * 64 * 12, id="conv-transpose2d"),
    pytest.param(nn.ConvTranspose2d(4, 3, 2, stride=2, padding=1), 4 * 64 * 12, id="cropped-conv-transpose2d"),
    pytest.param(Apply(lambda x: functional.conv2d(x, torch.ones(3, 4, 1, 1))), 3 * 64 * 4, id="functional"),
    pytest.param(
        Apply(lambda x: functional.conv2d(input=x, weight=torch.ones(3, 4, 1, 1))),
        3 * 64 * 4,
        id="by-keyword",
    ),
    pytest.param(Apply(lambda x: x @ torch.ones(8, 8)), 0, id="matrix-product-not-counted"),
    pytest.param(nn.AvgPool2d(2), 0, id="pooling-not-counted"),
]


@pytest.mark.parametrize(("network", "expected"), LAYERS)
def test_count_macs_by_hand(network, expected):
    assert count_macs(network, (4, 8, 8)) == expected


def test_count_macs_layer_run_twice_counts_twice():
    layer = nn.Conv2d(4, 4, 1)
    assert count_macs(nn.Sequential(layer, layer), (4, 8, 8)) == 2 * 64 * 16


def test_count_macs_layer_that_never_runs_not_counted():
    network = Apply(lambda x: x)
    network.unused = nn.Conv2d(4, 4, 1)
    assert count_macs(network, (4, 8, 8)) == 0


def test_count_macs_one_pixel_without_running_statistics():
    network = nn.Sequential(nn.Conv2d(4, 2, 8), nn.BatchNorm2d(2, track_running_stats=False))
    assert count_macs(network, (4, 8, 8)) == 2 * 256


def test_count_macs_same_for_both_variants(make_network):
    counts = {count_macs(make_network(variant=variant), (3, 16, 16)) for variant in ("benchmark", "gennas")}
    assert len(counts) == 1


def test_count_macs_leaves_network_untouched(make_network, assert_untouched):
    assert_untouched(make_network(), lambda network: count_macs(network, (3, 16, 16)))
