"""Rearranged depthwise convolutions compute what PyTorch's do; others stay as they are."""

from __future__ import annotations

import copy

import pytest
import torch
from nasbench_toolkit.plugins.evaluators.gennas import depthwise
from nasbench_toolkit.plugins.evaluators.gennas.depthwise import rearrange_depthwise
from torch import Tensor, nn

CHANNELS = 6


def convolution(side: int, stride: int = 1, dilation: int = 1, **options: object) -> nn.Conv2d:
    given: dict[str, object] = {"padding": dilation * (side // 2), "groups": CHANNELS, "bias": False}
    return nn.Conv2d(CHANNELS, CHANNELS, side, stride, dilation=dilation, **given | options)  # type: ignore[arg-type]


def rearranged(layer: nn.Module) -> nn.Module:
    ours = copy.deepcopy(layer)
    rearrange_depthwise(nn.Sequential(ours))
    return ours


def passes(layer: nn.Module, features: Tensor) -> list[Tensor]:
    """Output and gradients."""
    features = features.clone(memory_format=torch.preserve_format).requires_grad_()
    output = layer(features)
    output.backward(torch.sin(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape))
    (weight,) = layer.parameters()
    assert features.grad is not None
    assert weight.grad is not None
    return [output.detach(), features.grad, weight.grad]


@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format], ids=str)
@pytest.mark.parametrize("smallest", [0, depthwise.SMALLEST])
@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (convolution(5), (8, 8)),
        (convolution(7), (9, 7)),
        (convolution(9), (12, 5)),
        (convolution(5, padding=1), (8, 6)),
        (convolution(3, dilation=2), (8, 6)),
        (convolution(3, dilation=2, padding=0), (8, 6)),
        (convolution(5, dilation=2), (8, 8)),
        (convolution(5, dilation=2), (7, 8)),
        (convolution(3, stride=2, dilation=2), (8, 8)),
        (convolution(5, stride=2, dilation=2), (8, 9)),
        (convolution(5, stride=2, dilation=2, padding=2), (16, 11)),
    ],
    ids=str,
)
def test_function_and_gradients_are_the_same(layer, size, smallest, memory_format, monkeypatch) -> None:
    monkeypatch.setattr(depthwise, "SMALLEST", smallest)
    layer = copy.deepcopy(layer).double()
    features = torch.randn(3, CHANNELS, *size, dtype=torch.float64).contiguous(memory_format=memory_format)
    ours = rearranged(layer)
    assert "forward" in vars(ours)
    for first, second in zip(passes(ours, features), passes(layer, features), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)


def test_frozen_weights_and_inputs_without_gradient(monkeypatch) -> None:
    monkeypatch.setattr(depthwise, "SMALLEST", 0)
    layer, features = rearranged(convolution(5)), torch.randn(2, CHANNELS, 8, 8)
    layer(features).sum().backward()
    assert layer.weight.grad is not None
    layer.requires_grad_(False)
    layer(features.requires_grad_()).sum().backward()
    assert features.grad is not None


@pytest.mark.parametrize("layer", [convolution(5), convolution(3, dilation=2)], ids=str)
def test_autocast_is_left_to_pytorch(layer, monkeypatch) -> None:
    monkeypatch.setattr(depthwise, "SMALLEST", 0)
    features = torch.randn(2, CHANNELS, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        ours, expected = passes(rearranged(layer), features), passes(layer, features)
    assert ours[0].dtype is torch.bfloat16
    assert all(torch.equal(first, second) for first, second in zip(ours, expected, strict=True))


@pytest.mark.parametrize(
    "layer",
    [
        convolution(3),
        convolution(5, stride=2),
        convolution(3, dilation=3),
        convolution(3, dilation=2, padding=1),
        convolution(5, bias=True),
        convolution(5, groups=1),
        convolution(5, groups=CHANNELS // 2),
        convolution(5, padding="same"),
        convolution(5, padding=(2, 1)),
        convolution(5, padding_mode="reflect"),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, 5, groups=CHANNELS, bias=False),
        nn.Conv2d(CHANNELS, CHANNELS, (5, 3), groups=CHANNELS, bias=False),
        nn.Conv2d(CHANNELS, CHANNELS, 4, groups=CHANNELS, bias=False),
    ],
    ids=str,
)
def test_others_stay_as_they_are(layer) -> None:
    assert "forward" not in vars(rearranged(layer))


def test_what_is_watched_stays_as_it_is() -> None:
    layer = convolution(5)
    layer.register_forward_hook(lambda *_: None)
    assert "forward" not in vars(rearranged(layer))

    class Doubled(nn.Conv2d):
        def forward(self, features: Tensor) -> Tensor:
            return 2 * super().forward(features)

    assert "forward" not in vars(rearranged(Doubled(CHANNELS, CHANNELS, 5, groups=CHANNELS, bias=False)))
