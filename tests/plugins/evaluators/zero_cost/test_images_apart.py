import math

import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost import images_apart
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.meco import meco_score
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.zen import zen_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.synflow import log_synaptic_flow
from nasbench_toolkit.plugins.evaluators.zero_cost.images_apart import ImagesApart
from torch import nn
from torch.nn import functional

SHAPE = (3, 8, 8)
MESSAGE = "normalises feature maps itself"


def check(network, training=True):
    apart = ImagesApart(network, SHAPE, training=training)
    network.train(training)
    with torch.no_grad(), observe_calls(apart.observe):
        network(torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(1)))
    apart.check()


def by_moments(maps):
    centred = maps - maps.mean((0, 2, 3), keepdim=True)
    return centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()


def by_variance(maps):
    return (maps - maps.mean((0, 2, 3), keepdim=True)) / (maps.var((0, 2, 3), keepdim=True) + 1e-5).sqrt()


def over_flat_maps(maps):
    variance, mean = torch.var_mean(maps.transpose(0, 1).flatten(1), 1)
    return (maps - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()


def by_instance_norm(maps):
    one = maps.transpose(0, 1).flatten(1, 2)[None]
    return functional.instance_norm(one).view(maps.transpose(0, 1).shape).transpose(0, 1)


def by_product(maps):
    rows = maps.transpose(0, 1).flatten(1)
    return maps / ((rows @ rows.T).diagonal() / rows.shape[1] + 1e-5).sqrt()[:, None, None]


def by_norm(maps):
    return maps / (torch.linalg.vector_norm(maps, dim=(0, 2, 3), keepdim=True) + 1e-5)


def native(maps):
    return torch.native_batch_norm(maps, None, None, None, None, True, 0.1, 1e-5)[0]


BATCH_NORMS = [by_moments, by_variance, over_flat_maps, by_instance_norm, by_product, by_norm, native]


def layer_norm(maps):
    centred = maps - maps.mean((1, 2, 3), keepdim=True)
    return centred / (centred.square().mean((1, 2, 3), keepdim=True) + 1e-5).sqrt()


def instance_norm(maps):
    return (maps - maps.mean((2, 3), keepdim=True)) / (maps.std((2, 3), keepdim=True) + 1e-5)


def instance_norm_as_batch_norm(maps):
    return functional.batch_norm(maps.reshape(1, -1, *maps.shape[2:]), None, None, training=True).view(maps.shape)


def batch_norm_of_halves(maps):
    return torch.cat([functional.batch_norm(part, None, None, training=True) for part in maps.chunk(2)])


def squeeze_and_excite(maps):
    return maps * maps.mean((2, 3), keepdim=True).sigmoid()


def drop_path(maps):
    return maps * torch.empty((len(maps), 1, 1, 1)).bernoulli_(0.9)


def shuffle(maps):
    shuffled = torch.empty_like(maps)
    shuffled[:, ::2], shuffled[:, 1::2] = maps[:, :2], maps[:, 2:]
    return shuffled


OTHERS = [
    drop_path,
    shuffle,
    layer_norm,
    instance_norm,
    instance_norm_as_batch_norm,
    batch_norm_of_halves,
    squeeze_and_excite,
    nn.GroupNorm(2, 4),
    nn.BatchNorm2d(4),
    nn.Dropout(0.5),
]


class Normalised(nn.Module):
    """A convolution, what normalises its maps, global pooling and a classifier of some initial values."""

    def __init__(self, normalise):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.normalise = normalise
        self.classifier = nn.Linear(4, 2)

    def forward(self, images):
        maps = self.normalise(self.convolution(images))
        return self.classifier(functional.adaptive_avg_pool2d(maps, 1).flatten(1))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("normalise", BATCH_NORMS)
def test_batch_normalisation_by_hand_is_refused(normalise, training):
    with pytest.raises(EvaluationError, match=MESSAGE):
        check(Normalised(normalise), training)


@pytest.mark.parametrize("normalise", OTHERS)
def test_what_leaves_images_to_themselves_passes(normalise):
    check(Normalised(normalise))


def test_batch_normalisation_in_a_branch_that_starts_at_zero_is_refused():
    network = Normalised(by_moments)
    nn.init.zeros_(network.classifier.weight)
    with pytest.raises(EvaluationError, match=MESSAGE):
        check(network)


@pytest.mark.parametrize("rows", [3, 5])
def test_rows_before_images_pass(rows):
    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(24, 1, 4, batch_first=False)

        def forward(self, images):
            return self.layer(images[:, :, :rows].permute(2, 0, 1, 3).flatten(2)).mean(0)

    check(Rows())


SCORES = [
    pytest.param(lambda network: zen_score(network, SHAPE, torch.Generator().manual_seed(0)), id="zen"),
    pytest.param(lambda network: meco_score(network, 3, torch.Generator().manual_seed(0), image_size=8), id="meco"),
    pytest.param(lambda network: log_synaptic_flow(network, SHAPE), id="synflow"),
]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("normalise", [by_moments, over_flat_maps])
def test_measures_that_look_at_batch_normalisation_refuse_it_by_hand(score, normalise):
    with pytest.raises(EvaluationError, match=MESSAGE):
        score(Normalised(normalise))


@pytest.mark.parametrize("score", SCORES)
def test_common_layers_take_no_trial(make_network, monkeypatch, score):
    monkeypatch.setattr(images_apart, "_first_sizes", lambda *_: pytest.fail("it was run to see what images change"))
    assert math.isfinite(score(make_network()))
