import copy
import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian import te_nas_ntk
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.te_nas_ntk import (
    TeNasNtk,
    condition_number,
    tangent_kernel,
    te_nas_ntk_score,
)
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import TeNasNtkSettings
from torch import nn

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"

# The gradient of a linear layer's output by its weights is the image: Theta = [[1, 1], [1, 2]], whose eigenvalues are
# (3 +- sqrt(5)) / 2. The bias does not count.
IMAGES = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])[:, None, None]
LINEAR = nn.Sequential(nn.Flatten(), nn.Linear(3, 1))


def generator():
    return torch.Generator().manual_seed(3)


def test_te_nas_ntk_score_by_hand():
    expected = (3 + math.sqrt(5)) / (3 - math.sqrt(5))
    assert te_nas_ntk_score(LINEAR, IMAGES, generator()) == pytest.approx(expected, rel=1e-12)


def kernel_of(network, images, weights=None):
    names = {name for name, _ in network.named_parameters() if "weight" in name}
    return tangent_kernel(network, images, weights or {}, names)


def test_tangent_kernel_by_hand_of_the_sum_of_logits():
    # Each of two outputs has weights of its own.
    kernel = kernel_of(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), IMAGES)
    assert torch.equal(kernel, torch.tensor([[2.0, 2.0], [2.0, 4.0]], dtype=torch.float64))


def test_tangent_kernel_includes_weights_of_batch_norm():
    # The images are normalised already, up to eps. By the weight of the normalisation (1) the gradient of the first
    # output is 0.5 + 0.5, by those of the linear layer (1, 1): the row (1, 1, 1); the second row is its negative.
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(2, 1, bias=False))
    images = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])[:, None, None]
    kernel = kernel_of(network, images, {"2.weight": torch.tensor([[0.5, 0.5]])})
    assert torch.allclose(kernel, torch.tensor([[3.0, -3.0], [-3.0, 3.0]], dtype=torch.float64), rtol=1e-4)


def naive_tangent_kernel(network, images):
    """Do the same the plain way: one backward call for each image, gradients read from the parameters."""
    network = copy.deepcopy(network).train()
    logits, rows = network(images), []
    for logit in logits:
        network.zero_grad()
        logit.sum().backward(retain_graph=True)
        gradients = [
            p.grad.flatten() for name, p in network.named_parameters() if "weight" in name and p.grad is not None
        ]
        rows.append(torch.cat(gradients).double())
    rows = torch.stack(rows)
    return rows @ rows.T


def naive_te_nas_ntk_score(network, images, draws, repeats):
    """Do the same the plain way: new weights in a copy for each repeat."""
    network, conditions = copy.deepcopy(network), []
    for _ in range(repeats):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=draws)
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)
        eigenvalues = torch.linalg.eigvalsh(naive_tangent_kernel(network, images))
        conditions.append(float(eigenvalues[-1] / eigenvalues[0]))
    return sum(conditions) / repeats


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_tangent_kernel_equals_naive(make_network, images, variant):
    network = make_network(variant=variant)
    expected = naive_tangent_kernel(network, images)
    assert torch.allclose(kernel_of(network, images), expected, rtol=1e-6)
    assert condition_number(kernel_of(network, images)) == pytest.approx(condition_number(expected), rel=1e-4)


def test_tangent_kernel_equals_batched_gradients(make_network, images):
    network = make_network().train()
    weights = [parameter for name, parameter in network.named_parameters() if "weight" in name]
    gradients = torch.autograd.grad(network(images).sum(1), weights, torch.eye(16), is_grads_batched=True)
    rows = torch.cat([gradient.flatten(1) for gradient in gradients], 1).double()
    expected = rows @ rows.T
    assert torch.allclose(kernel_of(network, images), expected, rtol=1e-5, atol=1e-6 * float(expected.max()))


def test_tangent_kernel_in_blocks(make_network, images, monkeypatch):
    expected = kernel_of(make_network(), images)
    monkeypatch.setattr(te_nas_ntk, "BLOCK_COLUMNS", 100)
    assert torch.allclose(kernel_of(make_network(), images), expected, rtol=1e-12)


def test_te_nas_ntk_score_is_mean_over_kaiming_fan_out_weights(make_network, images):
    expected = naive_te_nas_ntk_score(make_network(), images, generator(), 2)
    score = te_nas_ntk_score(make_network(seed=9), images, generator(), repeats=2)
    assert score == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        pytest.param(torch.stack([IMAGES[0], IMAGES[0]]), "tangent kernel of 2 images is singular", id="duplicates"),
        pytest.param(torch.rand(3, 1, 1, 3), "3 images need more than 3 weights, the network has 3", id="large-batch"),
        pytest.param(torch.zeros(2, 1, 1, 3), "every gradient is 0", id="zeros"),
    ],
)
def test_te_nas_ntk_score_singular_is_degenerate(images, message):
    with pytest.raises(DegenerateError, match=message):
        te_nas_ntk_score(LINEAR, images, generator())


def test_te_nas_ntk_score_dead_cell_is_degenerate(make_network, images):
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        te_nas_ntk_score(make_network(DEAD), images, generator())


def test_te_nas_ntk_score_output_without_gradient_is_degenerate(apply_function):
    network = nn.Sequential(LINEAR, apply_function(torch.sign), apply_function(torch.detach))
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        te_nas_ntk_score(network, IMAGES, generator())


def test_te_nas_ntk_score_without_parameters_is_degenerate():
    with pytest.raises(DegenerateError, match="the network has 0"):
        te_nas_ntk_score(nn.Flatten(), IMAGES, generator())


@pytest.mark.parametrize(
    ("last", "message"),
    [
        pytest.param(lambda logits: logits / 0.0, "output is not finite", id="output"),
        pytest.param(lambda logits: (logits * 0.0).sqrt(), "gradient is not finite", id="gradient"),
    ],
)
def test_te_nas_ntk_score_not_finite_is_diverged(apply_function, last, message):
    with pytest.raises(DivergedError, match=message):
        te_nas_ntk_score(nn.Sequential(LINEAR, apply_function(last)), IMAGES, generator())


def test_te_nas_ntk_score_leaves_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: te_nas_ntk_score(network, images, generator(), repeats=1))


def test_te_nas_ntk_of_a_job(make_context):
    context = make_context()
    images = context.batch(3).inputs
    expected = te_nas_ntk_score(context.network("reduced"), images, context.generator("weights"), 2)
    settings = TeNasNtkSettings(network="reduced", batch_size=3, repeats=2)
    assert TeNasNtk(settings)._evaluate(make_context()) == expected
