import math

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.plugins.evaluators.zero_cost import EVALUATORS
from torch import nn
from torch.nn import functional


class TwoConvolutions(nn.Module):
    """Two convolutions with an activation right behind each, and a linear classifier."""

    def __init__(self, activation):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, bias=False)
        self.second = nn.Conv2d(4, 4, 3)
        self.classifier = nn.Linear(4, 10)
        self.activation = activation

    def forward(self, images):
        features = self.activation(self.second(self.activation(self.first(images))))
        return self.classifier(features.mean(dim=(2, 3)))


class NormalisedConvolutions(nn.Module):
    """Every weight is followed by batch normalisation; the classifier's matrix is fixed."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 6, 3, bias=False),
            nn.BatchNorm2d(6, eps=1e-20),
            nn.ReLU(),
            nn.Conv2d(6, 5, 3, bias=False),
            nn.BatchNorm2d(5, eps=1e-20),
            nn.ReLU(),
        )
        self.register_buffer("matrix", torch.randn(5, 10, generator=torch.Generator().manual_seed(3)))

    def forward(self, images):
        return self.layers(images).mean(dim=(2, 3)) @ self.matrix


class GapBeforeBiases(nn.Module):
    """Forgets the images; the layers behind have gradients from their biases alone."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)
        self.classifier = nn.Linear(4, 10)

    def forward(self, images):
        return self.classifier(self.convolution(0 * images).abs().mean(dim=(2, 3)))


class PowerOfZero(nn.Module):
    """Adds a power of features that are 0 to the logits of a linear layer."""

    def __init__(self, exponent):
        super().__init__()
        self.classifier = nn.Linear(3, 10)
        self.zero = nn.Linear(3, 10)
        self.exponent = exponent
        nn.init.zeros_(self.zero.weight)
        nn.init.zeros_(self.zero.bias)

    def forward(self, images):
        features = images.mean(dim=(2, 3))
        return self.classifier(features) + self.zero(features) ** self.exponent


@pytest.fixture
def batch(images):
    """Label the images with all ten classes."""
    return Batch(images, torch.arange(len(images)) % 10)


@pytest.fixture
def double_batch(batch):
    """Make the same batch in double precision, in which rounding turns no ReLU unit on or off."""
    return Batch(batch.inputs.double(), batch.labels)


@pytest.fixture
def linear_network():
    """Build logits (x log 3, 0): images x = 1 and -1 have class probabilities (3/4, 1/4) and (1/4, 3/4)."""
    layer = nn.Linear(1, 2, bias=False).double()
    layer.weight.data = torch.tensor([[math.log(3.0)], [0.0]], dtype=torch.float64)
    return nn.Sequential(nn.Flatten(), layer)


@pytest.fixture
def wrong_batch():
    """Give images x = 1 and -1 the labels that :func:`linear_network` finds less likely."""
    return Batch(torch.tensor([1.0, -1.0], dtype=torch.float64).reshape(2, 1, 1, 1), torch.tensor([1, 0]))


@pytest.fixture
def activation_networks():
    """Build the same network with its ReLU as a module and as a function, each also in place."""
    networks = []
    for activation in (nn.ReLU(), nn.ReLU(inplace=True), functional.relu, functional.relu_, torch.Tensor.relu_):
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            networks.append(TwoConvolutions(activation))
    return networks


@pytest.fixture
def normalised_network():
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return NormalisedConvolutions().double()


@pytest.fixture
def network_without_path():
    return GapBeforeBiases()


@pytest.fixture
def power_of_zero():
    return PowerOfZero


@pytest.fixture
def one_class_context(make_context):
    """Make a context whose batch of two images has one label."""
    contexts = (make_context(seed=seed) for seed in range(1000))
    return next(context for context in contexts if len(set(context.batch(2).labels.tolist())) == 1)


@pytest.fixture
def create_evaluator():
    """Make an evaluator by its name, with other settings than the default ones."""

    def create(name, **settings):
        info = next(info for info in EVALUATORS if info.name == name)
        return info.create(info.settings(**settings))

    return create
