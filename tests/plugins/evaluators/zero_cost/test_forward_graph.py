import copy

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.forward_graph import (
    ForwardGraph,
    LossGradients,
    gradients_of_batch,
    input_gradients,
    input_gradients_of,
    output_gradients,
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
    assert torch.equal(input_gradients_of(HalfSquares(), images), images.flatten(1))


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_image_gradients_equal_backward_of_ones(make_network, images, variant):
    network, images = make_network(variant=variant).double(), images.double()
    plain, leaf = copy.deepcopy(network).train(), images.clone().requires_grad_()
    logits = plain(leaf)
    logits.backward(torch.ones_like(logits))
    assert torch.allclose(input_gradients_of(network, images), leaf.grad.flatten(1), rtol=1e-9, atol=1e-12)


def test_image_gradients_of_network_that_begins_in_place(images):
    before = images.clone()
    gradients = input_gradients_of(nn.Sequential(nn.ReLU(inplace=True), HalfSquares()), images)
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
        input_gradients_of(apply_function(function), images)


def test_image_gradients_dead_cell_is_degenerate(make_network, images):
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        input_gradients_of(make_network(DEAD), images)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param(lambda images: images.flatten(1) * float("nan"), "output is not finite", id="output"),
        pytest.param(lambda images: (images * 0.0).abs().sqrt().flatten(1), "gradient by the inputs", id="gradient"),
    ],
)
def test_image_gradients_not_finite_is_diverged(images, apply_function, function, message):
    with pytest.raises(DivergedError, match=message):
        input_gradients_of(apply_function(function), images)


def test_image_gradients_leave_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: input_gradients_of(network, images))


def test_derivatives_of_a_graph_are_those_of_passes_of_their_own_in_any_order(make_network, images):
    batch, network = Batch(images, LABELS), make_network()
    by_weights, by_images = gradients_of_batch(network, batch), input_gradients_of(network, images)
    for _ in range(2):
        graph = ForwardGraph(network, images)
        for _ in range(2):
            assert torch.equal(input_gradients(graph.logits, graph.inputs), by_images)
            again = weight_gradients(graph, LossGradients(graph, LABELS))
            assert list(again) == list(by_weights)
            assert all(torch.equal(again[name][1], by_weights[name][1]) for name in again)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["first", "last"])
def test_one_backward_pass_gives_the_gradients_of_several(make_network, images, layout):
    graph = ForwardGraph(make_network().to(memory_format=layout), images)
    assert graph.has_one_backward_pass
    expected = weight_gradients(graph, LossGradients(graph, LABELS))
    together = LossGradients(graph, LABELS, outputs=True, differentiable=True)
    found = weight_gradients(graph, together)
    assert all(torch.equal(found[name][1], expected[name][1]) for name in expected)
    for one, other in zip(together.by_outputs, output_gradients(graph, LABELS), strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.equal(one, other)


@pytest.mark.parametrize("layer", [nn.SiLU(), nn.GroupNorm(1, 3), nn.GELU()])
def test_functions_with_a_backward_pass_for_second_derivatives_are_told(images, layer):
    network = nn.Sequential(nn.Conv2d(3, 3, 1), layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    assert not ForwardGraph(network, images).has_one_backward_pass


def test_graph_leaves_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: gradients_of_batch(network, Batch(images, LABELS)))


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
    assert list(weight_gradients(graph, LossGradients(graph, LABELS))) == ["weight"]
    with pytest.raises(EvaluationError, match="a backward pass of its own"):
        _ = graph.layers


def test_output_that_is_not_finite_is_an_error_for_all(make_network, images):
    network = make_network()
    nn.init.constant_(network.classifier.weight, float("nan"))
    with pytest.raises(DivergedError, match="output is not finite"):
        ForwardGraph(network, images)
