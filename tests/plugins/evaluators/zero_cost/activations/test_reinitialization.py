import torch
from nasbench_toolkit.plugins.evaluators.zero_cost.reinitialization import (
    kaiming_normal,
    redrawn_state,
    standard_normal,
)
from torch import nn


def generator():
    return torch.Generator().manual_seed(5)


def test_redrawn_state_draws_weights_and_resets_the_rest():
    network = nn.Sequential(nn.Conv2d(3, 40, 5), nn.BatchNorm2d(40), nn.PReLU(), nn.Linear(40, 50))
    nn.init.constant_(network[1].weight, 7.0)
    nn.init.constant_(network[1].running_var, 9.0)
    state = redrawn_state(network, standard_normal, generator())
    assert torch.equal(state["0.weight"], torch.empty(40, 3, 5, 5).normal_(generator=generator()))
    assert not state["0.bias"].any()
    assert not state["3.bias"].any()
    assert torch.equal(state["1.weight"], torch.ones(40))
    assert torch.equal(state["1.running_var"], network[1].running_var)
    assert torch.equal(state["2.weight"], network[2].weight)
    assert not any(tensor.requires_grad for tensor in state.values())


def test_redrawn_state_leaves_network_untouched(make_network, assert_untouched):
    assert_untouched(make_network(), lambda network: redrawn_state(network, kaiming_normal, generator()))


def test_kaiming_normal_has_variance_two_by_fan_in():
    state = redrawn_state(nn.Conv2d(64, 200, 3), kaiming_normal, generator())
    # 115,200 values: the standard error of the variance is below half a per cent.
    assert abs(state["weight"].var().item() * 64 * 9 / 2 - 1) < 0.02


def test_redrawn_state_keeps_layers_without_affine_parameters():
    assert redrawn_state(nn.BatchNorm2d(3, affine=False, track_running_stats=False), standard_normal, generator()) == {}
