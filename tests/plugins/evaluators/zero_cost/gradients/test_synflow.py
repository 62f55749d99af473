import copy
import math

import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.synflow import log_synaptic_flow
from torch import nn
from torch.nn import functional

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def set_parameters(layer, weight, bias=None):
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight).reshape(layer.weight.shape))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


def naive_log_synaptic_flow(network, input_shape):
    """Do the same the plain way: change a copy, run it, sum over its layers."""
    network = copy.deepcopy(network).double()
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
    for parameter in network.parameters():
        parameter.data.abs_()
    network(torch.ones(1, *input_shape).double()).sum().backward()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return math.log(sum((layer.weight * layer.weight.grad).abs().sum().item() for layer in layers))


def test_log_synaptic_flow_two_linear_layers():
    # Absolute values: A 1 = (3, 7), B' 1 = (3, 1). First layer 3 x 3 + 1 x 7 = 16; second, whose input is
    # A 1 + (0.5, 1), 3 x 3.5 + 1 x 8 = 18.5. Biases add to the second layer's input but are not summed.
    first = set_parameters(nn.Linear(2, 2), [[1.0, -2.0], [3.0, 4.0]], [0.5, -1.0])
    second = set_parameters(nn.Linear(2, 2), [[1.0, -1.0], [2.0, 0.0]], [7.0, -9.0])
    network = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)
    assert log_synaptic_flow(network, (2, 1, 1)) == pytest.approx(math.log(34.5), rel=1e-15)


class ConvolutionAndLinear(nn.Module):
    """Convolution to one pixel, a normalisation, an in-place activation, and two outputs."""

    def __init__(self, normalisation):
        super().__init__()
        self.convolution = set_parameters(nn.Conv2d(1, 1, 3, bias=False), [1.0, -1, 1, -1, 2, -1, 1, -1, 1])
        self.normalisation = normalisation
        self.classifier = set_parameters(nn.Linear(1, 2, bias=False), [2.0, -3.0])

    def forward(self, images):
        return self.classifier(functional.relu_(self.normalisation(self.convolution(images))).flatten(1))


def functional_batch_norm(features):
    return functional.batch_norm(features, torch.full((1,), 5.0), torch.full((1,), 0.1), eps=3.0)


def keyword_batch_norm(features):
    return functional.batch_norm(running_mean=None, running_var=None, training=True, input=features)


@pytest.mark.parametrize(
    "normalisation",
    [
        pytest.param(nn.Identity(), id="none"),
        pytest.param(set_parameters(nn.BatchNorm2d(1), [-3.0], [4.0]), id="module"),
        pytest.param(nn.BatchNorm2d(1, track_running_stats=False), id="module-one-value-a-channel"),
        pytest.param(functional_batch_norm, id="functional"),
        pytest.param(keyword_batch_norm, id="by-keyword"),
    ],
)
def test_log_synaptic_flow_skips_batch_normalisation(normalisation):
    # Absolute weights of the convolution sum to 10, of the classifier to 5: R = 50, carried by each layer.
    network = ConvolutionAndLinear(normalisation)
    assert log_synaptic_flow(network, (1, 3, 3)) == pytest.approx(math.log(100.0), rel=1e-15)


class SkipAroundNormalisation(nn.Module):
    """Reads a convolution's output again after an in-place activation of its normalised values."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 1)
        self.normalisation = nn.BatchNorm2d(1)

    def forward(self, images):
        features = self.convolution(images)
        return (self.normalisation(features).mul_(100.0) + features).flatten(1)


def test_log_synaptic_flow_in_place_operation_after_normalisation():
    network = SkipAroundNormalisation()
    set_parameters(network.convolution, [2.0], [0.0])
    assert log_synaptic_flow(network, (1, 1, 1)) == pytest.approx(math.log(2.0 * 101.0), rel=1e-15)


@pytest.mark.parametrize("arch_str", CELLS)
@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_log_synaptic_flow_equals_naive(make_network, arch_str, variant):
    network = make_network(arch_str, variant=variant)
    expected = naive_log_synaptic_flow(network, (3, 16, 16))
    assert log_synaptic_flow(network, (3, 16, 16)) == pytest.approx(expected, rel=1e-12)


def test_log_synaptic_flow_shared_layer():
    # y = a (a x): R = a^2, and a dR/da = 2 a^2.
    layer = set_parameters(nn.Conv2d(1, 1, 1, bias=False), [-3.0])
    assert log_synaptic_flow(nn.Sequential(layer, layer, nn.Flatten()), (1, 1, 1)) == pytest.approx(math.log(18.0))


class Difference(nn.Module):
    """The output of one layer less that of another."""

    def __init__(self):
        super().__init__()
        self.first = set_parameters(nn.Linear(1, 1, bias=False), [3.0])
        self.second = set_parameters(nn.Linear(1, 1, bias=False), [-2.0])

    def forward(self, images):
        pixels = images.flatten(1)
        return self.first(pixels) - self.second(pixels)


def test_log_synaptic_flow_adds_up_absolute_values():
    # R = |a| x - |b| x: the flows are 3 and -2, which would cancel each other in part.
    assert log_synaptic_flow(Difference(), (1, 1, 1)) == pytest.approx(math.log(5.0), rel=1e-15)


class ScaledByBuffer(nn.Module):
    """A layer's output, and the same times a constant that is no parameter."""

    def __init__(self):
        super().__init__()
        self.layer = set_parameters(nn.Linear(1, 1, bias=False), [-2.0])
        self.register_buffer("scale", torch.tensor([-3.0]))

    def forward(self, images):
        values = self.layer(images.flatten(1))
        return values + self.scale * values


def test_log_synaptic_flow_takes_absolute_values_of_buffers():
    # R = 2 (1 + |-3|); with the buffer as it is, 2 (1 - 3).
    assert log_synaptic_flow(ScaledByBuffer(), (1, 1, 1)) == pytest.approx(math.log(8.0), rel=1e-15)


def test_log_synaptic_flow_layer_that_never_runs_not_counted():
    network = nn.Sequential(nn.Flatten(), set_parameters(nn.Linear(1, 1, bias=False), [3.0]))
    network[1].unused = nn.Conv2d(8, 8, 3)
    assert log_synaptic_flow(network, (1, 1, 1)) == pytest.approx(math.log(3.0))


def test_log_synaptic_flow_beyond_float32():
    layers = [set_parameters(nn.Linear(1, 1, bias=False), [1e30]) for _ in range(3)]
    network = nn.Sequential(nn.Flatten(), *layers)
    assert log_synaptic_flow(network, (1, 1, 1)) == pytest.approx(90 * math.log(10.0) + math.log(3.0))


def test_log_synaptic_flow_ignores_dropout(make_network):
    network = make_network()
    with_dropout = nn.Sequential(nn.Dropout(0.9), network)
    assert log_synaptic_flow(with_dropout, (3, 16, 16)) == log_synaptic_flow(network, (3, 16, 16))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        pytest.param(
            nn.Sequential(nn.Flatten(), nn.Linear(1, 2), set_parameters(nn.Linear(2, 1), [0.0, 0.0])),
            "no path from its input to its output",
            id="zero-weights",
        ),
        pytest.param(nn.Sequential(nn.Flatten(), nn.ReLU()), "hence no weights", id="no-layer"),
    ],
)
def test_log_synaptic_flow_degenerate(network, message):
    with pytest.raises(DegenerateError, match=message):
        log_synaptic_flow(network, (1, 1, 1))


def test_log_synaptic_flow_dead_cell_is_degenerate(make_network):
    with pytest.raises(DegenerateError, match="no path from its input to its output"):
        log_synaptic_flow(make_network(DEAD), (3, 16, 16))


def test_log_synaptic_flow_layers_off_the_path_are_degenerate():
    network = nn.Sequential(nn.Flatten())
    network[0].unused = nn.Linear(1, 1)
    with pytest.raises(DegenerateError, match="hence no weights"):
        log_synaptic_flow(network, (1, 1, 1))


def test_log_synaptic_flow_overflow_is_diverged():
    layers = [set_parameters(nn.Linear(1, 1, bias=False).double(), [1e200]) for _ in range(2)]
    with pytest.raises(DivergedError, match="does not fit into float64"):
        log_synaptic_flow(nn.Sequential(nn.Flatten(), *layers), (1, 1, 1))


def test_log_synaptic_flow_leaves_network_untouched(make_network, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: log_synaptic_flow(network, (3, 16, 16)))


def test_log_synaptic_flow_without_gradient_mode(make_network):
    expected = log_synaptic_flow(make_network(), (3, 16, 16))
    with torch.no_grad():
        assert log_synaptic_flow(make_network(), (3, 16, 16)) == expected
