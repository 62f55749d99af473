"""Networks of all kinds become source that computes the same, or are refused with the reason."""

from collections import OrderedDict

import pytest
import torch
from nasbench_toolkit.core.export.forward_pass import UnsupportedNetworkError
from nasbench_toolkit.core.export.module import write_module
from torch import nn
from torch.nn import functional

SHAPE = (3, 8, 8)


def export(network, shape=SHAPE, batch_dimension=0):
    """Return the text, and the network that it makes with the same weights."""
    text = write_module(network, shape, "About.", batch_dimension)
    namespace = {}
    exec(text, namespace)
    made = namespace["Network"]()
    made.load_state_dict(network.state_dict())
    return text, made


def assert_same(network, made, *shape):
    inputs = torch.randn(*shape)
    for training in (True, False):
        outputs = []
        for each in (network, made):
            torch.manual_seed(1)
            outputs.append(each.train(training)(inputs))
        torch.testing.assert_close(*outputs, rtol=0, atol=0)


class Block(nn.Module):
    """Adds what a convolution makes of the input."""

    def __init__(self, channels, kernel_size=3):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return x + torch.relu(self.bn(self.conv(x)))


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.first = nn.Sequential(*(Block(4) for _ in range(4)))
        self.wider = nn.Conv2d(4, 6, 1, bias=False)
        self.second = nn.ModuleList([Block(6), Block(6, 1)])
        self.classifier = nn.Linear(6, 5)

    def forward(self, images):
        x = self.first(self.stem(images))
        x = self.wider(x)
        for block in self.second:
            x = block(x)
        return self.classifier(x.mean((2, 3)))


class Chain(nn.Sequential):
    """Calls its layers in order."""


def layers():
    return [nn.Conv2d(3, 4, 3), *(Block(4) for _ in range(4)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)]


def named_layers():
    return {f"layer{number}": layer for number, layer in enumerate(layers())}


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Sequential(*layers()), "class Network(nn.Sequential):"),
        (nn.Sequential(OrderedDict(named_layers())), "super().__init__(OrderedDict({"),
        (Chain(*layers()), '"""Calls its layers in order."""'),
        (nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), "super().__init__(nn.Flatten(), nn.Linear(192, 5))"),
        (nn.Conv2d(3, 5, 3, bias=False), "super().__init__(3, 5, 3, bias=False)"),
    ],
)
def test_a_network_may_be_a_module_of_pytorch_itself(network, expected):
    text, made = export(network)
    assert expected in text
    assert list(made.state_dict()) == list(network.state_dict())
    assert_same(network, made, 5, *SHAPE)


def test_blocks_that_differ_in_numbers_share_a_class():
    network = Blocks()
    text, made = export(network)
    assert text.startswith('"""About."""\n')
    assert text.count("class ") == 3
    assert 'class Block(nn.Module):\n    """Adds what a convolution makes of the input."""' in text
    assert "def __init__(self, channels: int) -> None:" in text
    assert "*(Block(4) for _ in range(4))" in text
    assert "self.second = nn.ModuleList([Block(6), Block2()])" in text
    assert "self.second[1](" in text
    assert list(made.state_dict()) == list(network.state_dict())
    assert_same(network, made, 5, *SHAPE)


class Functions(nn.Module):
    """All kinds of calls on tensors."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(3))
        self.register_buffer("offset", torch.full((3, 1, 1), 0.5))
        self.names = nn.ModuleDict({"a-b": nn.Conv2d(3, 3, (1, 3), padding=(0, 1)), "c": nn.AvgPool2d(3, 1, 1)})
        self.unused = nn.Linear(2, 2)

    def forward(self, images):
        x = 1 - images * self.scale[:, None, None] + self.offset
        x = self.names["a-b"](x) / 2 - 0.5 * self.names["c"](x) ** 2
        x = functional.pad(x, (0, 1, 0, 1))[:, :, 1:, ::2]
        first, second = x[:, :2].chunk(2, dim=1)
        x = torch.cat([first, second, -x], dim=1).sigmoid()
        x = functional.interpolate(x, size=(4, 4), mode="nearest")
        x = x.view(x.size(0), -1)
        x = torch.where(x > 0.5, x, torch.zeros_like(x)) + torch.zeros(len(x), 1, device=x.device)
        x += 1
        x = x @ torch.eye(x.shape[1])
        return x.float().reshape(x.shape[0], -1).to(torch.float64)


def test_functions_operators_parameters_and_the_size_of_the_batch():
    network = Functions()
    text, made = export(network)
    assert "images.shape[0]" in text
    assert "device=images.device" in text
    assert 'self.names["a-b"](' in text
    assert_same(network, made, 7, *SHAPE)


class Drops(nn.Module):
    """Does something else in training."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, 4, 1)
        self.dropout = nn.Dropout(0.3)

    def forward(self, images):
        x = functional.dropout(self.conv(images), 0.5, self.training)
        if self.training:
            x = x * torch.empty(x.shape[0], 1, 1, 1).bernoulli_(0.5)
            x = self.head(x)
        return (self.dropout(x) + x.new_ones(len(x), 1, 1, 1)).flatten(1)


def test_what_differs_in_training():
    network = Drops()
    text, made = export(network)
    assert "        if self.training:\n" in text
    assert_same(network, made, 4, *SHAPE)


class OneArgument(nn.Module):
    def forward(self, images):
        return functional.dropout(images, 0.5, self.training).sum((1, 2, 3))


def test_an_argument_that_differs_in_training():
    text, made = export(OneArgument())
    assert "functional.dropout(images, p=0.5, training=self.training, inplace=False)" in text
    assert_same(OneArgument(), made, 4, *SHAPE)


class Two(nn.Module):
    def forward(self, x, others, scale=2.0):
        return x * scale, sum(others)


class ManyInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.two = Two()
        self.identity = nn.Identity()

    def forward(self, images):
        first, second = self.two(self.identity(images), [images, images + 1], scale=3.0)
        return (first - second).mean((1, 2, 3))


def test_modules_of_several_inputs_and_outputs():
    text, made = export(ManyInputs())
    assert "def forward(self, x: Tensor, others: list[Tensor]) -> tuple[Tensor, Tensor]:" in text
    assert_same(ManyInputs(), made, 4, *SHAPE)


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = torch.ones(2, 2)

    def forward(self, images):
        channels = torch.tensor(2) + torch.tensor(0)
        looked_at = torch.ones(1) * 3
        if looked_at > 4:
            images = -images
        if channels < images.shape[1]:
            images = images[:, :channels]
        return images.sum((1, 2, 3)) * (2 if self.matrix[0, 1] else 3)


def test_constants_that_are_only_looked_at():
    text, made = export(Constants())
    assert "matrix" not in text
    assert "torch.ones" not in text
    assert text.count("torch.tensor(") == 2
    assert_same(Constants(), made, 4, *SHAPE)


class Tensor(nn.Module):
    """A class whose name the source has for something else."""

    def forward(self, x1, x2):
        x = torch.zeros_like(x1)
        x[:, 0] = x1[:, 0] - x2[:, 1]
        x[:, 1:] = 3.0
        return x


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.tensor = Tensor()

    def forward(self, images):
        return self.tensor(images, images + 1).sum((1, 2, 3))


def test_names_that_are_taken_and_assignments_to_elements():
    text, made = export(Named())
    assert "class Tensor2(nn.Module):" in text
    assert "x3[:, 1:] = 3.0" in text
    assert_same(Named(), made, 4, *SHAPE)


def module(forward, **children):
    network = type("Odd", (nn.Module,), {"forward": forward})()
    for name, child in children.items():
        network.add_module(name, child)
    return network


SHARED = nn.Conv2d(3, 3, 1)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (module(lambda self, x: x if x.sum() > 0 else -x), "what it does depends on the values of tensors"),
        (module(lambda self, x: x * 2 if torch.rand(1) < 0.5 else x), "what it does depends on the values of tensors"),
        (module(lambda self, x: x * float(x.mean())), "what it does depends on the values of tensors"),
        (module(lambda self, x: nn.Linear(8, 8)(x)), "a module calls another, of the class 'Linear', that is not regi"),
        (module(lambda self, x: x.sum((1, 2, 3)) * len(x) ** 2), "depends on the number of images in the batch"),
        (module(lambda self, x: self.a(x) + self.b(x), a=SHARED, b=SHARED), "the module 'b' is 'a' as well"),
        (module(lambda self, x: self.a(x), a=nn.MultiheadAttention(8, 2)), "cannot be followed step by step"),
        (module(lambda self, x: self.a(x) + self.a(x[:, :1]), a=module(lambda self, x: x * x.shape[1])), "something e"),
    ],
)
def test_what_has_no_source_is_refused_with_the_reason(network, message):
    with pytest.raises(UnsupportedNetworkError, match=message):
        export(network)


def test_a_layer_that_does_not_keep_what_it_was_made_with_is_refused():
    network = module(lambda self, x: self.a(x)[0], a=nn.LSTM(8, 2))
    with pytest.raises(UnsupportedNetworkError, match="a call returns tuple, expected tensors or a tuple of them"):
        export(network, (8, 8))
    network = module(lambda self, x: x, a=nn.LSTM(8, 2))
    with pytest.raises(UnsupportedNetworkError, match="'nn.LSTM' does not keep 'args'"):
        export(network, (8, 8))


def test_layers_with_parameters_that_are_not_trained():
    network = Functions()
    network.scale.requires_grad_(False)
    _, made = export(network)
    assert not made.scale.requires_grad


def test_the_network_and_the_generators_stay_as_they_are():
    network = Blocks().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    write_module(network, SHAPE, "")
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_an_about_with_quotes_and_backslashes_is_text():
    text = write_module(OneArgument(), SHAPE, 'a """ b \\')
    namespace = {}
    exec(text, namespace)
    assert namespace["__doc__"] == "a ''' b \\"
