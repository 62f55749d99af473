import copy

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.training_pass import (
    ForwardGraph,
    forward_graph,
    gradients_of_batch,
    image_gradients,
    image_gradients_of,
    logit_gradients,
    weight_gradients,
)
from torch import nn
from torch.nn import functional

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
LABELS = torch.arange(16) % 10


class HalfSquares(nn.Module):
    """Network whose gradient by an image is the image."""

    def forward(self, images):
        return images.flatten(1) ** 2 / 2


def test_image_gradients_by_hand():
    images = torch.tensor([[1.0, -2.0], [3.0, 0.5]]).reshape(2, 1, 1, 2)
    assert torch.equal(image_gradients_of(HalfSquares(), images), images.flatten(1))


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_image_gradients_equal_backward_of_ones(make_network, images, variant):
    network = make_network(variant=variant)
    plain, leaf = copy.deepcopy(network).train(), images.clone().requires_grad_()
    logits = plain(leaf)
    logits.backward(torch.ones_like(logits))
    assert torch.equal(image_gradients_of(network, images), leaf.grad.flatten(1))


def test_image_gradients_of_network_that_begins_in_place(images):
    before = images.clone()
    gradients = image_gradients_of(nn.Sequential(nn.ReLU(inplace=True), HalfSquares()), images)
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
        image_gradients_of(apply_function(function), images)


def test_image_gradients_dead_cell_is_degenerate(make_network, images):
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        image_gradients_of(make_network(DEAD), images)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param(lambda images: images.flatten(1) * float("nan"), "output is not finite", id="output"),
        pytest.param(lambda images: (images * 0.0).abs().sqrt().flatten(1), "gradient by the images", id="gradient"),
    ],
)
def test_image_gradients_not_finite_is_diverged(images, apply_function, function, message):
    with pytest.raises(DivergedError, match=message):
        image_gradients_of(apply_function(function), images)


def test_image_gradients_leave_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: image_gradients_of(network, images))


def test_derivatives_of_a_graph_are_those_of_passes_of_their_own_in_any_order(make_network, images):
    batch, network = Batch(images, LABELS), make_network()
    by_weights, by_images = gradients_of_batch(network, batch), image_gradients_of(network, images)
    for _ in range(2):
        graph = ForwardGraph(network, images)
        for _ in range(2):
            assert torch.equal(image_gradients(graph.logits, graph.images), by_images)
            again = weight_gradients(graph, LABELS)
            assert list(again) == list(by_weights)
            assert all(torch.equal(again[name][1], by_weights[name][1]) for name in again)


def test_graph_of_gradients_has_the_same_gradients(make_network, images):
    graph = ForwardGraph(make_network(), images)
    expected = [gradient for _, gradient in weight_gradients(graph, LABELS).values()]
    found = torch.autograd.grad(graph.loss(LABELS), list(graph.weights.values()), create_graph=True, allow_unused=True)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_graph_leaves_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: weight_gradients(ForwardGraph(network, images), LABELS))


class OwnConvolution(torch.autograd.Function):
    """A convolution whose gradients PyTorch does not see."""

    @staticmethod
    def forward(ctx, images, weight):
        ctx.save_for_backward(images)
        return functional.conv2d(images, weight)

    @staticmethod
    def backward(ctx, gradient):
        (images,) = ctx.saved_tensors
        return None, torch.einsum("nchw,nkhw->ck", gradient, images)[:, :, None, None]


class WithHiddenLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 3, 1, 1))

    def forward(self, images):
        return OwnConvolution.apply(images, self.weight).square().mean((2, 3))


def test_layers_that_are_not_seen_are_refused_only_where_they_are_asked_for(images):
    graph = ForwardGraph(WithHiddenLayer(), images)
    assert list(weight_gradients(graph, LABELS)) == ["weight"]
    with pytest.raises(EvaluationError, match="a backward pass of its own"):
        _ = graph.layers


class Scripted(nn.Module):
    """A network whose layers cannot be seen."""

    def __init__(self):
        super().__init__()
        self.layer = torch.jit.script(nn.Conv2d(3, 10, 3))

    def forward(self, images):
        return self.layer(images).square().mean((2, 3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gradients_by_images_need_no_layers_that_are_seen(make_context, monkeypatch):
    context = make_context()
    monkeypatch.setattr(type(context.space), "build_network", lambda *_: Scripted())
    with pytest.raises(EvaluationError, match="TorchScript"):
        context.shared_pass(forward_graph, "benchmark", 4)
    rows = context.shared_pass(logit_gradients, "benchmark", 4)
    assert rows.shape == (4, 3 * 32 * 32)


def test_output_that_is_not_finite_is_an_error_for_all(make_network, images):
    network = make_network()
    nn.init.constant_(network.classifier.weight, float("nan"))
    with pytest.raises(DivergedError, match="output is not finite"):
        ForwardGraph(network, images)
