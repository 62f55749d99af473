import copy

import pytest
import torch
from nasbench_toolkit.core.context import EvaluationContext, WorkerCache
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.plugins.datasets import PHOTOS
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import parse_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.network import CellNetwork
from torch import nn

# Every kind of operation, and a convolution that starts from an always-zero node.
MIXED = "|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|"


@pytest.fixture
def make_network():
    """Build a small network of a cell, with weights decided by a seed."""

    def make(arch_str=MIXED, num_classes=10, variant="benchmark", seed=0):
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            return CellNetwork(
                parse_arch_str(arch_str),
                input_channels=3,
                stem_channels=4,
                cells_per_stage=1,
                num_classes=num_classes,
                variant=variant,
            )

    return make


@pytest.fixture
def images():
    """Draw sixteen images of noise."""
    return torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def make_context():
    """Make the context of a job on NAS-Bench-201 and the photographs."""

    def make(arch_id=MIXED, evaluator="test", seed=0, images=None):
        key = JobKey("nasbench201", "photos", arch_id, evaluator, "0" * 16, seed)
        space, cache = NASBENCH201.create(), WorkerCache({})
        return EvaluationContext(key, space, PHOTOS, images or PHOTOS.create(), torch.device("cpu"), cache)

    return make


@pytest.fixture
def assert_untouched():
    """Compare a network with a copy made before: state, modes, gradients."""

    def compare(network, before):
        for name, tensor in before.state_dict().items():
            assert torch.equal(network.state_dict()[name], tensor), name
        modes = [
            (module.training, old.training) for module, old in zip(network.modules(), before.modules(), strict=True)
        ]
        assert all(now == then for now, then in modes)
        assert all(parameter.grad is None for parameter in network.parameters())

    def call(network, function):
        before = copy.deepcopy(network)
        rng_state = torch.get_rng_state()
        function(network)
        compare(network, before)
        assert torch.equal(torch.get_rng_state(), rng_state)

    return call


@pytest.fixture
def apply_function():
    """Make a network of one function."""

    class Apply(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, images):
            return self.function(images)

    return Apply
