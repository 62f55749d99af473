import copy
import math

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.jacob_cov import JacobCov, jacob_cov_score
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import BatchSettings

K = 1e-5


def score_of(eigenvalues):
    return -sum(math.log(eigenvalue + K) + 1.0 / (eigenvalue + K) for eigenvalue in eigenvalues)


# The gradient of half the sum of squares is the image itself.
@pytest.mark.parametrize(
    ("images", "eigenvalues"),
    [
        pytest.param([[1, -1, 0, 0], [0, 0, 2, -2]], [1.0, 1.0], id="uncorrelated"),
        # Both have mean 0, norm sqrt(2) and inner product 1: the correlation is 1/2, eigenvalues 1 +- 1/2.
        pytest.param([[1, -1, 0], [1, 0, -1]], [1.5, 0.5], id="half"),
        # Rows are centred, columns are not: the same but for a constant.
        pytest.param([[1, -1, 0], [3, 2, 1]], [1.5, 0.5], id="half-shifted"),
        pytest.param([[1, -1, 0], [4, -4, 0]], [2.0, 0.0], id="equal"),
        pytest.param([[1, -1, 0], [-1, 1, 0]], [2.0, 0.0], id="opposite"),
    ],
)
def test_jacob_cov_score_by_hand(apply_function, images, eigenvalues):
    network = apply_function(lambda images: images.flatten(1) ** 2 / 2)
    images = torch.tensor(images, dtype=torch.float32)[:, None, None]
    assert jacob_cov_score(network, images) == pytest.approx(score_of(eigenvalues), rel=1e-9)


def naive_jacob_cov_score(network, images):
    network, images = copy.deepcopy(network).train(), images.clone().requires_grad_()
    logits = network(images)
    logits.backward(torch.ones_like(logits))
    correlations = np.corrcoef(images.grad.flatten(1).double().numpy())
    return score_of(np.linalg.eigvals(correlations).real)


@pytest.mark.parametrize(
    "arch_str", [None, "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"]
)
def test_jacob_cov_score_equals_naive(make_network, images, arch_str):
    network, images = make_network(*[arch_str] * (arch_str is not None)).double(), images.double()
    assert jacob_cov_score(network, images) == pytest.approx(naive_jacob_cov_score(network, images), rel=1e-9)


def test_jacob_cov_score_in_training_mode_whatever_the_network_is_in(make_network, images):
    trained, evaluated = make_network(), make_network().eval()
    assert jacob_cov_score(evaluated, images) == jacob_cov_score(trained, images)


def test_jacob_cov_score_constant_gradients_are_degenerate(apply_function, images):
    with pytest.raises(DegenerateError, match="16 of 16 inputs are constant"):
        jacob_cov_score(apply_function(lambda images: images.flatten(1).sum(1, keepdim=True)), images)


def test_jacob_cov_of_a_job(make_context):
    context = make_context()
    expected = jacob_cov_score(context.network("reduced"), context.batch(8).inputs)
    assert JacobCov(BatchSettings(network="reduced", batch_size=8))._evaluate(make_context()) == expected
