"""What holds for every score made of the gradients of the loss by the weights."""

import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grad_norm import grad_norm_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grasp import grasp_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.plain import plain_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.snip import snip_score
from torch import nn

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

each_measure = pytest.mark.parametrize(
    "score", [grad_norm_score, snip_score, plain_score, grasp_score], ids=["grad_norm", "snip", "plain", "grasp"]
)


@each_measure
def test_score_same_for_every_kind_of_relu(score, activation_networks, batch):
    assert len({score(network, batch) for network in activation_networks}) == 1


@each_measure
def test_score_leaves_network_untouched(score, make_network, assert_untouched, batch):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: score(network, batch))


@each_measure
def test_score_without_gradient_mode_and_of_frozen_network(score, make_network, batch):
    expected = score(make_network(), batch)
    with torch.no_grad():
        assert score(make_network().requires_grad_(False), batch) == expected


@each_measure
def test_score_leaves_images_to_a_network_that_begins_in_place(score, batch):
    images = batch.inputs.clone()
    score(nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(768, 10)), batch)
    assert torch.equal(batch.inputs, images)


@each_measure
def test_score_biases_behind_a_gap_are_degenerate(score, network_without_path, batch):
    with pytest.raises(DegenerateError, match="the outputs are the same for all inputs"):
        score(network_without_path, batch)


@each_measure
def test_score_dead_cell_is_degenerate(score, make_network, batch):
    with pytest.raises(DegenerateError, match="every gradient is 0: the network has no path"):
        score(make_network(DEAD), batch)


@each_measure
def test_score_without_weights_is_degenerate(score, batch):
    with pytest.raises(DegenerateError, match="hence no weights"):
        score(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()), batch)


@each_measure
def test_score_nan_output_is_diverged(score, make_network, batch):
    network = make_network()
    nn.init.constant_(network.classifier.weight, math.nan)
    with pytest.raises(DivergedError, match="output is not finite"):
        score(network, batch)


@each_measure
def test_score_infinite_gradient_is_diverged(score, power_of_zero, batch):
    with pytest.raises(DivergedError, match="a gradient is not finite"):
        score(power_of_zero(0.5), batch)
