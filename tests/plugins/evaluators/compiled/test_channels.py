"""Channels that are copied in C are those that PyTorch copies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from nasbench_toolkit import Concatenation
from nasbench_toolkit.plugins.evaluators.compiled import channels, compile_layers, split_channels
from torch import Tensor

SIZES = [[1, 1], [3], [5, 6, 5], [16, 16], [17, 1, 40], [2, 33]]
SPACES = [(16, 8, 8), (1, 1, 1), (3, 1, 2)]


@pytest.fixture(params=["in C", "without a compiler"], autouse=True)
def _with_and_without_compiler(request, monkeypatch) -> None:
    if request.param == "without a compiler":
        monkeypatch.setattr(channels, "_functions", lambda: None)
    elif channels._functions() is None:
        pytest.skip("no C compiler, or no place for its output")


def draw(batch: int, count: int, height: int, width: int) -> Tensor:
    return torch.randn(batch, count, height, width).contiguous(memory_format=torch.channels_last)


def gradients(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """Gradients of a sum in which every value has another weight."""
    total = sum((output * torch.arange(output.numel()).reshape(output.shape)).sum() for output in outputs)
    return torch.autograd.grad(total, inputs)


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_split(sizes: list[int], space: tuple[int, int, int]) -> None:
    batch, *sides = space
    whole = draw(batch, sum(sizes), *sides).requires_grad_()
    parts, expected = split_channels(whole, sizes), whole.split(sizes, dim=1)
    assert all(map(torch.equal, parts, expected))
    assert all(part.is_contiguous(memory_format=torch.channels_last) for part in parts)
    assert all(map(torch.equal, gradients(parts, [whole]), gradients(expected, [whole])))


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_concatenation(sizes: list[int], space: tuple[int, int, int]) -> None:
    batch, *sides = space
    parts = [draw(batch, size, *sides).requires_grad_() for size in sizes]
    layer = Concatenation()
    compile_layers(layer)
    whole, expected = layer(parts), torch.cat(parts, dim=1)
    assert torch.equal(whole, expected)
    assert whole.is_contiguous(memory_format=torch.channels_last)
    assert all(map(torch.equal, gradients([whole], parts), gradients([expected], parts)))


def test_a_part_that_nothing_uses_has_no_gradient() -> None:
    whole = draw(2, 5, 4, 4).requires_grad_()
    first, _ = split_channels(whole, [2, 3])
    (gradient,) = torch.autograd.grad(first.sum(), [whole])
    assert torch.equal(gradient[:, :2], torch.ones(2, 2, 4, 4))
    assert torch.equal(gradient[:, 2:], torch.zeros(2, 3, 4, 4))


def test_other_layouts_and_numbers() -> None:
    layer = Concatenation()
    compile_layers(layer)
    for features in (
        torch.randn(2, 5, 4, 4),
        torch.randn(2, 5, 4, 4).double(),
        draw(2, 9, 4, 4)[:, 2:7],
        torch.randn(5, 5),
    ):
        assert torch.equal(layer([features, features]), torch.cat([features, features], dim=1))
        assert all(map(torch.equal, split_channels(features, [2, 3]), features.split([2, 3], dim=1)))
