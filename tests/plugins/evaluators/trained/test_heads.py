import copy

import pytest
import torch
from nasbench_toolkit.core.capabilities import StagedNetwork
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.evaluators.trained.heads import PooledFeatures, seeded_head
from torch import nn
from torch.nn import functional

SKIPS = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"


def pooled_input(network, images):
    """Do the same the plain way: a hook on what the classifier takes."""
    taken = []
    handle = network.classifier.register_forward_hook(lambda module, inputs, output: taken.append(inputs[0]))
    network(images)
    handle.remove()
    return taken[0]


@pytest.mark.parametrize("side", [16, 4])
def test_pooled_features_are_what_the_classifier_sees(make_context, side):
    context, _ = make_context()
    network, images = context.network(), torch.randn(5, 3, side, side)
    features = PooledFeatures(network, (3, side, side))
    assert network.training
    assert features.channels == 16
    assert features.size == (side // 4, side // 4)
    torch.testing.assert_close(features(images).mean(dim=(2, 3)), pooled_input(network, images))


def test_looking_at_a_network_leaves_it_as_it_is(make_context):
    context, _ = make_context()
    network = context.network()
    before = copy.deepcopy(network.state_dict())
    PooledFeatures(network, (3, 16, 16))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class KeepsDims(nn.Module):
    """Pools with an adaptive layer, rectifies in place, and has no batch normalisation."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)

    def forward_stages(self, images):
        return [self.conv(images)]

    def forward(self, images):
        features = functional.relu(self.forward_stages(images)[-1], inplace=True)
        return functional.adaptive_avg_pool2d(features, 1).flatten(1)


def test_pooled_features_of_another_network():
    network, images = KeepsDims(), torch.randn(2, 3, 5, 7)
    features = PooledFeatures(network, (3, 5, 7))
    torch.testing.assert_close(features(images), network.conv(images).relu())


def test_network_without_a_map_of_the_last_stage_is_refused():
    network = KeepsDims()
    network.forward = lambda images: images.flatten(1)
    with pytest.raises(EvaluationError, match="no feature map of 5x7"):
        PooledFeatures(network, (3, 5, 7))


def test_evaluators_with_a_head_on_pooled_features_need_stages():
    needy = {info.name for info in EVALUATORS if StagedNetwork in info.needs}
    assert {"col", "jig"} <= needy


def test_head_depends_on_the_job_alone(make_context):
    heads = [seeded_head(make_context(seed=seed)[0], lambda: nn.Linear(3, 2)) for seed in (0, 0, 1)]
    assert torch.equal(heads[0].weight, heads[1].weight)
    assert not torch.equal(heads[0].weight, heads[2].weight)


@pytest.mark.parametrize("name", ["jig", "col"])
def test_cell_of_skip_connections_does_not_diverge(score, name):
    record = score(name, arch_id=SKIPS, epochs=2, batch_size=16, train_images=32, test_images=8)
    assert record.message == ""
