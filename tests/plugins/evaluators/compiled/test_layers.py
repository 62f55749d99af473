"""Layers that run in C return what PyTorch's return, to the last bit."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from nasbench_toolkit.plugins.evaluators.compiled import compile_layers, normalization, pooling
from nasbench_toolkit.plugins.evaluators.compiled.agreement import agrees
from nasbench_toolkit.plugins.evaluators.compiled.library import load_library
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


needs_compiler = pytest.mark.skipif(load_library("pooling") is None, reason="no C compiler, or no place for its output")

SHAPES = [
    (2, 1, 8, 8),
    (3, 5, 32, 32),
    (2, 8, 16, 16),
    (2, 16, 9, 7),
    (4, 21, 8, 8),
    (2, 40, 3, 1),
    (3, 48, 6, 5),
    (2, 3, 1, 5),
    (1, 4, 1, 1),
]


def values(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Features with many equal ones, as a ReLU leaves them."""
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return drawn.clamp_min(-0.5).contiguous(memory_format=torch.channels_last)


def run(network: nn.Module, features: Tensor, gradient: Tensor | None = None) -> list[Tensor]:
    """Output, gradients and buffers after one pass forward and backward."""
    features = features.clone(memory_format=torch.preserve_format).requires_grad_()
    output = network(features * 1.0)
    output.backward(values(tuple(output.shape), 1) if gradient is None else gradient)
    gradients = [tensor.grad for tensor in (features, *network.parameters())]
    return [output.detach(), *(gradient for gradient in gradients if gradient is not None), *network.buffers()]


def assert_same(network: nn.Module, features: Tensor, *, compiled: bool, gradient: Tensor | None = None) -> None:
    """Compare a network with its compiled copy; ``compiled`` says whether something of it must run in C."""
    ours = copy.deepcopy(network)
    compile_layers(ours)
    assert any("forward" in vars(layer) for layer in ours.modules()) is compiled
    for _ in range(2):
        for first, second in zip(run(ours, features, gradient), run(network, features, gradient), strict=True):
            assert torch.equal(first, second) or torch.equal(first.isnan(), second.isnan())


def normalized(channels: int, *behind: nn.Module, **options: object) -> nn.Sequential:
    """A convolution, a batch normalisation with weights that are not 1 and 0, and what is behind it."""
    norm = nn.BatchNorm2d(channels, **options)  # type: ignore[arg-type]
    if norm.affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return nn.Sequential(norm, *behind)


@needs_compiler
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pooling_is_equal(shape: tuple[int, ...]) -> None:
    assert_same(nn.MaxPool2d(3, 1, 1), values(shape), compiled=True)
    assert_same(nn.AvgPool2d(3, 1, 1, count_include_pad=False), values(shape), compiled=True)


@needs_compiler
def test_pooling_is_equal_for_odd_values_and_layouts() -> None:
    features = values((2, 5, 8, 8))
    features[0, :, 2:6, 2:6] = -torch.inf
    assert_same(nn.MaxPool2d(3, 1, 1), torch.full((1, 3, 4, 4), -torch.inf), compiled=True)
    assert_same(nn.MaxPool2d(3, 1, 1), features, compiled=True)
    assert_same(nn.MaxPool2d((3, 3), (1, 1), (1, 1)), features.contiguous(), compiled=True)
    assert_same(nn.MaxPool2d(3, 1, 1), features[:, 1:4], compiled=True)
    assert_same(nn.MaxPool2d(3, 1, 1), features.double(), compiled=True)
    assert_same(nn.MaxPool2d(3, 1, 1), features[0], compiled=True, gradient=features[1])


@needs_compiler
def test_maximum_of_a_window_with_nan_is_nan() -> None:
    features = values((1, 2, 6, 6))
    features[0, 0, 3, 3] = torch.nan
    pool = nn.MaxPool2d(3, 1, 1)
    expected = pool(features)
    compile_layers(pool)
    assert torch.equal(pool(features).isnan(), expected.isnan())
    assert expected.isnan().sum() == 9


@needs_compiler
@pytest.mark.parametrize(
    "pool",
    [
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, 2, 1),
        nn.MaxPool2d(3, 1, 1, dilation=2),
        nn.MaxPool2d(3, 1, 0),
        nn.AvgPool2d(3, 1, 1),
        nn.AvgPool2d(3, 1, 1, count_include_pad=False, divisor_override=2),
        nn.AvgPool2d(5, 1, 2, count_include_pad=False),
    ],
    ids=str,
)
def test_other_pooling_is_left_alone(pool: nn.Module) -> None:
    assert_same(pool, values((2, 4, 8, 8)), compiled=False)


@needs_compiler
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_normalization_is_equal(shape: tuple[int, ...]) -> None:
    channels = shape[1]
    if shape[0] * shape[2] * shape[3] == 1:
        return  # PyTorch refuses to normalise a single value
    assert_same(normalized(channels), values(shape), compiled=True)
    assert_same(normalized(channels, nn.ReLU(inplace=True)), values(shape), compiled=True)
    assert_same(normalized(channels, affine=False, track_running_stats=False), values(shape), compiled=True)
    assert_same(normalized(channels, nn.ReLU(), nn.Conv2d(channels, 3, 1)), values(shape), compiled=True)


@needs_compiler
@pytest.mark.parametrize("options", [{"momentum": None}, {"momentum": 0.003}, {"eps": 0.1}], ids=str)
def test_settings_of_normalization_count(options: dict[str, float | None]) -> None:
    assert_same(normalized(6, nn.ReLU(), **options), values((2, 6, 8, 8)), compiled=True)


@needs_compiler
def test_normalization_is_equal_for_other_layouts() -> None:
    features = values((2, 9, 8, 8))
    for inputs in (features.contiguous(), features[:, :6], features.double()):
        layers = normalized(inputs.shape[1], nn.ReLU()).to(inputs.dtype)
        assert_same(layers, inputs, compiled=True)
        assert_same(layers.eval(), inputs, compiled=True)
    part_of_more = values((2, 18, 8, 8))[:, 4:13]
    assert_same(normalized(9), features, compiled=True, gradient=part_of_more)
    assert_same(normalized(9, nn.ReLU()), features, compiled=True, gradient=part_of_more)


class Both(nn.Module):
    """Uses a normalisation of a sequence by itself too, and one ReLU in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.first = normalized(5, self.relu)
        self.second = normalized(5, self.relu)

    def forward(self, features: Tensor) -> Tensor:
        return self.second(self.first(features)) + self.first[0](features) + self.relu(features)


@needs_compiler
def test_layers_that_are_used_twice_keep_their_meaning() -> None:
    assert_same(Both(), values((2, 5, 8, 8)), compiled=True)


@needs_compiler
def test_observed_layers_are_left_alone() -> None:
    layers = normalized(5, nn.ReLU())
    seen: list[Tensor] = []
    for layer in layers:
        layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(output.clone()))
    compile_layers(layers)
    output = layers(values((2, 5, 8, 8)))
    assert len(seen) == 2
    assert (seen[0] < 0).any()
    assert torch.equal(seen[1], output)


def test_normalization_is_left_alone_where_threads_share_sums() -> None:
    torch.set_num_threads(2)
    layers = normalized(5, nn.ReLU())
    compile_layers(layers)
    assert not any("forward" in vars(layer) for layer in layers.modules())


def test_a_layer_that_differs_in_one_bit_does_not_agree() -> None:
    def shift(layer: nn.Module) -> None:
        forward = layer.forward
        layer.forward = lambda features: forward(features) * (1 + 2**-23)  # type: ignore[method-assign]

    assert agrees(nn.BatchNorm2d, lambda _: None)
    assert not agrees(nn.BatchNorm2d, shift)


@needs_compiler
def test_this_machine_uses_what_it_compiled() -> None:
    assert pooling._functions() is not None
    assert normalization._functions() is not None


@needs_compiler
def test_torch_compile_sees_layers_of_its_own() -> None:
    network = nn.Sequential(normalized(6, nn.ReLU()), nn.MaxPool2d(3, 1, 1)).to(memory_format=torch.channels_last)
    ours = copy.deepcopy(network)
    compile_layers(ours)
    traced = torch.compile(ours, fullgraph=True, backend="eager")
    for first, second in zip(run(traced, values((2, 6, 8, 8))), run(network, values((2, 6, 8, 8))), strict=True):
        assert torch.equal(first, second)
