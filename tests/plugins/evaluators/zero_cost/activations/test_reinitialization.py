import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.reinitialization import (
    drawable_parameters,
    kaiming_normal,
    redrawn_state,
    standard_normal,
)
from torch import nn
from torch.nn import functional


def generator():
    return torch.Generator().manual_seed(5)


def redrawn(network, draw, input_shape=(3, 8, 8)):
    return redrawn_state(network, drawable_parameters(network, input_shape), draw, generator())


def test_redrawn_state_draws_weights_and_resets_the_rest():
    network = nn.Sequential(
        nn.Conv2d(3, 40, 5), nn.BatchNorm2d(40), nn.PReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 50)
    )
    nn.init.constant_(network[1].weight, 7.0)
    nn.init.constant_(network[1].running_var, 9.0)
    state = redrawn(network, standard_normal)
    assert torch.equal(state["0.weight"], torch.empty(40, 3, 5, 5).normal_(generator=generator()))
    assert not state["0.bias"].any()
    assert not state["5.bias"].any()
    assert torch.equal(state["1.weight"], torch.ones(40))
    assert torch.equal(state["1.running_var"], network[1].running_var)
    assert torch.equal(state["2.weight"], network[2].weight)
    assert not any(tensor.requires_grad for tensor in state.values())


def test_redrawn_state_leaves_network_untouched(make_network, assert_untouched):
    assert_untouched(make_network(), lambda network: redrawn(network, kaiming_normal))


def test_kaiming_normal_has_variance_two_by_fan_in():
    state = redrawn(nn.Conv2d(64, 200, 3), kaiming_normal, (64, 3, 3))
    # 115,200 values: the standard error of the variance is below half a per cent.
    assert abs(state["weight"].var().item() * 64 * 9 / 2 - 1) < 0.02


def test_redrawn_state_keeps_layers_without_affine_parameters():
    assert redrawn(nn.BatchNorm2d(3, affine=False, track_running_stats=False), standard_normal) == {}


def test_unused_weights_take_no_draws():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3))
    expected = redrawn(network, standard_normal)
    network[0].spare = nn.Linear(7, 7)
    state = redrawn(network, standard_normal)
    assert all(torch.equal(state[name], values) for name, values in expected.items())
    assert torch.equal(state["0.spare.weight"], network[0].spare.weight)


def test_weights_are_told_by_the_functions_that_run():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.randn(4, 3, 3, 3)), nn.Parameter(torch.randn(4))
            self.c, self.d = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(4))

        def forward(self, images):
            maps = functional.conv2d(images, self.a, self.b)
            return functional.batch_norm(maps, None, None, self.c, self.d, training=True)

    state = redrawn(Own(), standard_normal)
    assert torch.equal(state["a"], torch.empty(4, 3, 3, 3).normal_(generator=generator()))
    assert not state["b"].any()
    assert torch.equal(state["c"], torch.ones(4))
    assert not state["d"].any()


def test_parameter_of_what_is_no_layer_is_refused():
    class Scaled(nn.Conv2d):
        def __init__(self):
            super().__init__(3, 4, 3)
            self.gain = nn.Parameter(torch.ones(4))

        def forward(self, images):
            return super().forward(images) * self.gain[:, None, None]

    with pytest.raises(EvaluationError, match="draws new weights .* cannot tell what 'gain' is to be"):
        redrawn(Scaled(), standard_normal)
