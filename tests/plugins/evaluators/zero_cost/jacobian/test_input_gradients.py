import copy

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.input_gradients import image_gradients, row_correlations
from torch import nn

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


class HalfSquares(nn.Module):
    """Network whose gradient by an image is the image."""

    def forward(self, images):
        return images.flatten(1) ** 2 / 2


def test_image_gradients_by_hand():
    images = torch.tensor([[1.0, -2.0], [3.0, 0.5]]).reshape(2, 1, 1, 2)
    assert torch.equal(image_gradients(HalfSquares(), images), images.flatten(1))


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_image_gradients_equal_backward_of_ones(make_network, images, variant):
    network = make_network(variant=variant)
    plain, leaf = copy.deepcopy(network).train(), images.clone().requires_grad_()
    logits = plain(leaf)
    logits.backward(torch.ones_like(logits))
    assert torch.equal(image_gradients(network, images), leaf.grad.flatten(1))


def test_image_gradients_of_network_that_begins_in_place(images):
    before = images.clone()
    gradients = image_gradients(nn.Sequential(nn.ReLU(inplace=True), HalfSquares()), images)
    assert torch.equal(gradients, before.relu().flatten(1))
    assert torch.equal(images, before)
    assert not images.requires_grad


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda images: images.flatten(1) * 0.0, id="zero"),
        pytest.param(lambda images: torch.ones(len(images), 2), id="not-connected"),
        pytest.param(lambda images: images.detach().flatten(1), id="detached"),
    ],
)
def test_image_gradients_without_path_is_degenerate(images, apply_function, function):
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        image_gradients(apply_function(function), images)


def test_image_gradients_dead_cell_is_degenerate(make_network, images):
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        image_gradients(make_network(DEAD), images)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param(lambda images: images.flatten(1) * float("nan"), "output is not finite", id="output"),
        pytest.param(lambda images: (images * 0.0).abs().sqrt().flatten(1), "gradient by the images", id="gradient"),
    ],
)
def test_image_gradients_not_finite_is_diverged(images, apply_function, function, message):
    with pytest.raises(DivergedError, match=message):
        image_gradients(apply_function(function), images)


def test_image_gradients_leave_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: image_gradients(network, images))


def test_row_correlations_equal_numpy():
    rows = torch.randn(5, 30, generator=torch.Generator().manual_seed(0)) * 1e-20 + 3e-20
    np.testing.assert_allclose(row_correlations(rows).numpy(), np.corrcoef(rows.double().numpy()), atol=1e-12)


def test_row_correlations_constant_rows_are_degenerate():
    rows = torch.tensor([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    with pytest.raises(DegenerateError, match="2 of 3 images are constant"):
        row_correlations(rows)
