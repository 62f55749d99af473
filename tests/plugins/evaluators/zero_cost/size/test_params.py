from nasbench_toolkit.plugins.datasets import PHOTOS
from nasbench_toolkit.plugins.evaluators.zero_cost.layer_sizes import count_params
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


def test_count_params_nasbench201_index_13714():
    arch_id = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    assert count_params(NASBENCH201.create().build_network(arch_id, PHOTOS), PHOTOS.input_shape) == 1_073_466


def test_count_params_by_hand():
    # 2 x 3 x 3 x 3 weights and 3 biases, 2 x 3 of batch normalisation; running statistics do not count.
    assert count_params(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)), (2, 3, 3)) == 54 + 3 + 6


def test_count_params_frozen_parameter_counts():
    network = nn.Linear(4, 2)
    network.bias.requires_grad_(False)
    assert count_params(network, (4,)) == 10


def test_count_params_unused_parameter_left_out():
    network = nn.Linear(4, 2)
    network.spare = nn.Linear(3, 3)
    assert count_params(network, (4,)) == 10


def test_count_params_counts_weights_as_computed():
    # Weight norm has as many directions as there are weights, and two lengths besides.
    assert count_params(weight_norm(nn.Linear(4, 2)), (4,)) == 10


def test_count_params_shared_parameter_counts_once():
    layer = nn.Linear(3, 3, bias=False)
    assert count_params(nn.Sequential(layer, nn.ReLU(), layer), (3,)) == 9


def test_count_params_auxiliary_head_of_training_left_out():
    class WithHead(nn.Linear):
        def __init__(self):
            super().__init__(4, 2)
            self.head = nn.Linear(4, 3)

        def forward(self, features):
            logits = super().forward(features)
            return (logits, self.head(features)) if self.training else logits

    network = WithHead()
    assert count_params(network, (4,)) == 10
    assert network.training
