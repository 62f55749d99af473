import copy
import math

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.fisher import channel_information, fisher_score
from torch import Tensor, nn
from torch.nn import functional

CELLS = [
    pytest.param(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        id="convolutions",
    ),
    pytest.param("|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|", id="mixed"),
]
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def naive_score(network, batch, weighting="fanin"):
    """Do it the plain way: keep each layer's output and its gradient with hooks on a copy."""
    network = copy.deepcopy(network).train()
    runs = []

    def keep(layer, inputs, output):
        output.retain_grad()
        runs.append((layer, output))
        return output.clone()

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(keep)
    functional.cross_entropy(network(batch.inputs), batch.labels).backward()
    score = 0.0
    for layer, output in runs:
        if output.grad is not None:
            sums = (output.detach() * output.grad).double().reshape(*output.shape[:2], -1).sum(2)
            score += (sums**2).mean(0).sum().item() / 2 * (layer.weight[0].numel() if weighting == "fanin" else 1)
    return score


class TwoPlaces(nn.Module):
    """Logits (x log 3, 0) as the mean over two places of a convolution with four weights a channel."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight.view(-1)[0] = math.log(3.0)

    def forward(self, images):
        return self.layer(images.expand(-1, 2, -1, 3)).mean(dim=(2, 3))


@pytest.mark.parametrize(("weighting", "expected"), [("fanin", 4.0), ("channel", 1.0)])
def test_fisher_score_by_hand(wrong_batch, weighting, expected):
    # The loss's derivative by the first logit is 3/8 for x = 1, -3/8 for x = -1, half of it at each of two places where
    # the value is log 3 or -log 3: both images sum to 3/8 log 3. The second channel's values are 0.
    network = TwoPlaces(nn.Conv2d(2, 2, (1, 2), bias=False).double())
    information = (3 / 8 * math.log(3.0)) ** 2 / 2
    assert fisher_score(network, wrong_batch, weighting) == pytest.approx(expected * information, rel=1e-12)


def test_fisher_score_of_transposed_convolution(wrong_batch):
    # The same places and values from two input channels with one weight each for an output channel.
    network = TwoPlaces(nn.ConvTranspose2d(2, 2, 1, bias=False).double())
    information = (3 / 8 * math.log(3.0)) ** 2 / 2
    assert fisher_score(network, wrong_batch) == pytest.approx(2 * information, rel=1e-12)


def test_channel_information_of_sequence():
    # Two images, three places, one channel: sums 1 + 2 + 3 and 4 - 1 + 0.
    values = torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [-1.0], [0.0]]])
    assert channel_information(values, torch.ones_like(values), 2).tolist() == [(36.0 + 9.0) / 2 / 2]


@pytest.mark.parametrize("arch_str", CELLS)
@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
@pytest.mark.parametrize("weighting", ["fanin", "channel"])
def test_fisher_score_equals_naive(make_network, double_batch, arch_str, variant, weighting):
    network = make_network(arch_str, variant=variant).double()
    assert fisher_score(network, double_batch, weighting) == pytest.approx(
        naive_score(network, double_batch, weighting), rel=1e-6
    )


def test_fisher_score_layer_that_runs_twice_has_two_sets_of_channels(batch):
    layer = nn.Conv2d(3, 3, 1)
    classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    shared = nn.Sequential(layer, nn.Tanh(), layer, *classifier)
    apart = nn.Sequential(layer, nn.Tanh(), copy.deepcopy(layer), *classifier)
    assert fisher_score(shared, batch) == fisher_score(apart, batch) == pytest.approx(naive_score(apart, batch))


def test_fisher_score_layer_off_the_path_not_counted(make_network, batch):
    class WithUnusedBranch(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = make_network()
            self.unused = nn.Conv2d(3, 3, 1)

        def forward(self, images):
            self.unused(images)
            return self.network(images)

    assert fisher_score(WithUnusedBranch(), batch) == fisher_score(make_network(), batch)


class Tokens(nn.Module):
    """A hidden layer at each place, with dropout, and in training one more layer that leads nowhere."""

    def __init__(self, *, side_layer, places_first):
        super().__init__()
        self.side_layer, self.places_first = side_layer, places_first
        self.stem, self.side = nn.Conv2d(3, 4, 5, stride=5), nn.Linear(4, 10)
        self.hidden, self.classifier = nn.Linear(4, 6), nn.Linear(6, 10)

    def forward(self, images):
        maps = self.stem(images)
        if self.side_layer and self.training:
            self.side(maps.mean((2, 3)))
        tokens = maps.flatten(2).permute(2, 0, 1) if self.places_first else maps.flatten(2).transpose(1, 2)
        # As multi-head attention does, images and places along one axis.
        hidden = self.hidden(functional.dropout(tokens.flatten(0, 1), 0.5, self.training)).relu()
        return self.classifier(hidden.unflatten(0, tokens.shape[:2]).mean(0 if self.places_first else 1))


def drop_path(values, probability, training):
    """Drop whole rows, as stochastic depth written by hand does; not a dropout of torch's."""
    return values * torch.empty(len(values), 1).bernoulli_(1 - probability) if training else values


@pytest.mark.parametrize("drop", [functional.dropout, drop_path])
@pytest.mark.parametrize("places_first", [False, True])
def test_fisher_score_layer_of_training_that_leads_nowhere_not_counted(batch, places_first, drop, monkeypatch):
    scores = []
    monkeypatch.setattr(functional, "dropout", drop)
    for side_layer in (False, True):
        torch.manual_seed(0)
        network = Tokens(side_layer=side_layer, places_first=places_first)
        scores.append(fisher_score(network, batch))
    assert scores[0] == scores[1]


def test_fisher_score_same_for_both_orders_of_images_and_places(batch, monkeypatch):
    scores = []
    monkeypatch.setattr(functional, "dropout", lambda values, *_: values)
    for places_first in (False, True):
        torch.manual_seed(0)
        scores.append(fisher_score(Tokens(side_layer=True, places_first=places_first), batch))
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)


def test_fisher_score_of_layers_that_run_by_the_number_of_images_is_refused(batch):
    class ByImages(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.classifier = nn.Conv2d(3, 3, 1), nn.Linear(3, 10)

        def forward(self, images):
            return torch.cat([self.classifier(self.layer(image[None]).mean((2, 3))) for image in images])

    with pytest.raises(EvaluationError, match="runs other layers for another number of images"):
        fisher_score(ByImages(), batch)


class Skipping(nn.Module):
    """Skips its second layer in training: as drawn, always or never."""

    def __init__(self, skips=None):
        super().__init__()
        self.stem, self.layer, self.classifier = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Linear(4, 10)
        self.skips = skips

    def forward(self, images):
        maps = self.stem(images)
        drawn = bool(torch.rand(()) < 0.5)
        if not (drawn if self.skips is None else self.skips):
            maps = maps + self.layer(maps)
        return self.classifier(maps.mean((2, 3)))


@pytest.mark.parametrize("seed", range(4))
def test_fisher_score_of_a_layer_that_is_skipped_at_random_is_that_of_what_ran(batch, seed):
    torch.manual_seed(seed)
    skips = bool(torch.rand(()) < 0.5)
    scores = []
    for network in (Skipping(), Skipping(skips)):
        for parameter in network.parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(parameter.numel()))
        torch.manual_seed(seed)
        scores.append(fisher_score(network, batch))
    assert scores[0] == scores[1]


class Dropping(nn.Module):
    """Adds to the output of a layer, in place or not, and drops features."""

    def __init__(self, add):
        super().__init__()
        self.stem, self.layer, self.classifier = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Linear(4, 10)
        self.add = add

    def forward(self, images):
        maps = self.stem(images)
        return self.classifier(functional.dropout(self.add(self.layer(maps), maps).mean((2, 3)), 0.5, self.training))


def test_fisher_score_of_outputs_that_are_overwritten_drops_the_same(batch):
    scores = []
    for add in (torch.add, Tensor.add_):
        torch.manual_seed(0)
        scores.append(fisher_score(Dropping(add), batch))
    assert scores[0] == scores[1]


class FunctionalNetwork(nn.Module):
    """The layers of another network as functions of parameters."""

    def __init__(self, network):
        super().__init__()
        self.parts = nn.ParameterList([network.first.weight, network.second.weight, network.second.bias])
        self.matrix = network.classifier.weight
        self.bias = network.classifier.bias

    def forward(self, images):
        features = functional.relu_(functional.conv2d(images, self.parts[0]))
        features = functional.relu_(functional.conv2d(input=features, bias=self.parts[2], weight=self.parts[1]))
        return functional.linear(features.mean(dim=(2, 3)), self.matrix, self.bias)


def test_fisher_score_same_for_every_kind_of_relu_and_for_functions(activation_networks, batch):
    networks = [*activation_networks, FunctionalNetwork(activation_networks[0])]
    scores = {fisher_score(network, batch) for network in networks}
    assert len(scores) == 1
    assert scores.pop() == pytest.approx(naive_score(activation_networks[0], batch), rel=1e-6)


def test_fisher_score_fixed_filter_of_images_has_no_channels(make_network, batch):
    class Filtered(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = make_network()

        def forward(self, images):
            return self.network(functional.conv2d(images, torch.eye(3).view(3, 3, 1, 1)))

    assert fisher_score(Filtered(), batch) == pytest.approx(fisher_score(make_network(), batch), rel=1e-6)


def test_fisher_score_leaves_network_untouched(make_network, assert_untouched, batch):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: fisher_score(network, batch))


def test_fisher_score_without_gradient_mode_and_of_frozen_network(make_network, batch):
    expected = fisher_score(make_network(), batch)
    with torch.no_grad():
        assert fisher_score(make_network().requires_grad_(False), batch) == expected


def test_fisher_score_biases_behind_a_gap_are_degenerate(network_without_path, batch):
    with pytest.raises(DegenerateError, match="the outputs are the same for all inputs"):
        fisher_score(network_without_path, batch)


def test_fisher_score_dead_cell_is_degenerate(make_network, batch):
    with pytest.raises(DegenerateError, match="the outputs are the same for all inputs"):
        fisher_score(make_network(DEAD), batch)


@pytest.mark.parametrize("layer", [nn.AdaptiveAvgPool2d(1), nn.InstanceNorm2d(3, affine=True)])
def test_fisher_score_without_layers_is_degenerate(layer, batch):
    network = nn.Sequential(layer, nn.Flatten())
    with pytest.raises(DegenerateError, match="the output depends on no convolution and no linear layer"):
        fisher_score(network, Batch(batch.inputs, batch.labels % 3))


def test_fisher_score_nan_output_is_diverged(make_network, batch):
    network = make_network()
    nn.init.constant_(network.classifier.weight, math.nan)
    with pytest.raises(DivergedError, match="output is not finite"):
        fisher_score(network, batch)


def test_fisher_score_infinite_gradient_is_diverged(power_of_zero, batch):
    with pytest.raises(DivergedError, match="the gradient of a layer's output is not finite"):
        fisher_score(power_of_zero(0.5), batch)


def test_fisher_refuses_one_class(create_evaluator, one_class_context):
    with pytest.raises(DegenerateError, match="all 2 images of the batch have the same label"):
        create_evaluator("fisher", batch_size=2).evaluate(one_class_context)


def test_fisher_weighting_is_a_setting(create_evaluator, make_context):
    context = make_context()
    score = create_evaluator("fisher", batch_size=4, weighting="channel").evaluate(context).score
    assert score == fisher_score(context.network(), context.batch(4), "channel")
