import copy
import math

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.forward_graph import gradients_of_batch
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grasp import grasp_score
from torch import nn
from torch.func import functional_call
from torch.nn import functional

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]


def naive_score(network, batch):
    """Do it the plain way: two forward passes of a copy, and the gradient of <stop(g), g> by backward."""
    network = copy.deepcopy(network).train()
    weights = [layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    loss, again = (functional.cross_entropy(network(batch.inputs), batch.labels) for _ in range(2))
    constants = torch.autograd.grad(loss, weights, allow_unused=True)
    gradients = torch.autograd.grad(again, weights, allow_unused=True, create_graph=True)
    pairs = [pair for pair in zip(constants, gradients, strict=True) if pair[0] is not None]
    sum((constant * gradient).sum() for constant, gradient in pairs).backward()
    return -sum((weight.double() * weight.grad).sum().item() for weight in weights if weight.grad is not None)


def test_grasp_score_by_hand(linear_network, wrong_batch):
    # Probabilities minus labels are (3/4, -3/4) and (-3/4, 3/4), half of that per image in the mean loss:
    # g = 3/8 x (1 + 1) = 3/4 for the first weight, -3/4 for the second. Weights are log 3 and 0.
    # Both images have H = x^2 p_0 p_1 ((1, -1), (-1, 1)), p_0 p_1 = 3/16: H g = 3/16 (3/2, -3/2).
    assert grasp_score(linear_network, wrong_batch) == pytest.approx(-9 / 32 * math.log(3.0), rel=1e-12)


def test_grasp_score_equals_explicit_hessian(batch):
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 10))
    network = network.double()
    names = ("0.weight", "4.weight")
    shapes = [network.get_parameter(name).shape for name in names]

    def loss(vector):
        parts = vector.split([shape.numel() for shape in shapes])
        weights = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        return functional.cross_entropy(functional_call(network, weights, (batch.inputs.double(),)), batch.labels)

    theta = torch.cat([network.get_parameter(name).detach().flatten() for name in names])
    hessian = torch.autograd.functional.hessian(loss, theta)
    expected = -theta @ hessian @ torch.autograd.functional.jacobian(loss, theta)
    score = grasp_score(network, Batch(batch.inputs.double(), batch.labels))
    assert score == pytest.approx(expected.item(), rel=1e-10)


def test_grasp_score_behind_batch_normalisation_is_squared_gradient_norm(normalised_network, batch):
    batch = Batch(batch.inputs.double(), batch.labels)
    squared_norms = [gradient.square().sum() for _, gradient in gradients_of_batch(normalised_network, batch).values()]
    assert len(squared_norms) == 2
    assert grasp_score(normalised_network, batch) == pytest.approx(sum(squared_norms).item(), rel=1e-10)


@pytest.mark.parametrize("arch_str", CELLS)
@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_grasp_score_equals_naive(make_network, double_batch, arch_str, variant):
    network = make_network(arch_str, variant=variant).double()
    expected = naive_score(network, double_batch)
    assert grasp_score(network, double_batch) == pytest.approx(expected, rel=1e-5)


def test_grasp_score_shared_layer_counts_once(batch):
    layer = nn.Conv2d(3, 3, 1, bias=False)
    network = nn.Sequential(layer, nn.Tanh(), layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    expected = naive_score(network, batch)
    assert grasp_score(network, batch) == pytest.approx(expected, rel=1e-5)


def test_grasp_score_infinite_second_derivative_is_diverged(power_of_zero, batch):
    with pytest.raises(DivergedError, match="a second derivative of the loss is not finite"):
        grasp_score(power_of_zero(1.5), batch)


def test_grasp_score_weights_off_the_path_are_degenerate(batch):
    network = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
    network[0].unused = nn.Linear(1, 1)
    with pytest.raises(DegenerateError, match="hence no weights"):
        grasp_score(network, batch)


def test_grasp_refuses_one_class(create_evaluator, one_class_context):
    with pytest.raises(DegenerateError, match="all 2 images of the batch have the same label"):
        create_evaluator("grasp", batch_size=2).evaluate(one_class_context)
