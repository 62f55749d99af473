"""Merged branches compute and train what the branches do, and stay as they are where one layer is something else."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from nasbench_toolkit import Branches
from nasbench_toolkit.plugins.evaluators.gennas.merged_branches import merge_branches
from nasbench_toolkit.plugins.evaluators.gennas.momentum_descent import MomentumDescent
from torch import Tensor, nn


def branch(outputs: int, kernel: int = 1, **options: object) -> nn.Sequential:
    convolution = nn.Conv2d(3, outputs, kernel, padding=kernel // 2, **{"bias": False} | options)  # type: ignore[arg-type]
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Network(nn.Module):
    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = Branches({str(number): module for number, module in enumerate(branches)})

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat(self.branches(features), dim=1)


def groups_of(network: nn.Module, decay: float = 0.1) -> list[tuple[list[nn.Parameter], float]]:
    parameters = list(network.parameters())
    return [([p for p in parameters if p.dim() > 1], decay), ([p for p in parameters if p.dim() == 1], 0.0)]


def train(network: nn.Module, groups: list[tuple[list[nn.Parameter], float]], images: Tensor) -> list[float]:
    optimizer, losses = MomentumDescent(groups, 0.1, 0.9), []
    for _ in range(5):
        loss = network(images).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    network.eval()
    return [*losses, network(images).square().mean().item()]


@pytest.mark.parametrize("bias", [False, True])
def test_training_is_the_same(bias: bool) -> None:
    torch.manual_seed(0)
    plain = Network(branch(2, bias=bias), branch(5, bias=bias), branch(1, bias=bias))
    merged, images = copy.deepcopy(plain), torch.randn(4, 3, 6, 6)
    groups = merge_branches(merged, groups_of(merged))
    assert not any(isinstance(module, Branches) for module in merged.modules())
    assert [len(parameters) for parameters, _ in groups] == [1, 3 if bias else 2]
    assert sum(p.numel() for p in merged.parameters()) == sum(p.numel() for p in plain.parameters())
    assert {id(p) for parameters, _ in groups for p in parameters} == {id(p) for p in merged.parameters()}
    assert train(merged, groups, images) == pytest.approx(train(plain, groups_of(plain), images), rel=1e-5)


def test_nothing_is_drawn() -> None:
    network = Network(branch(2), branch(3))
    before = torch.get_rng_state()
    merge_branches(network, groups_of(network))
    assert torch.equal(torch.get_rng_state(), before)


def shared_weight(network: Network) -> None:
    network.branches["1"][0].weight = network.branches["0"][0].weight  # type: ignore[index]


def shared_with_another_layer(network: Network) -> None:
    network.behind = nn.Conv2d(3, 4, 1)
    network.behind.weight = network.branches["1"][0].weight  # type: ignore[index]


def in_two_places(network: Network) -> None:
    network.again = network.branches


def observed(network: Network) -> None:
    network.branches["1"][0].register_forward_hook(lambda *_: None)  # type: ignore[index]


def two(**options: object) -> Callable[[], Network]:
    return lambda: Network(branch(4), branch(4, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda: Network(branch(4)), None),
        (lambda: Network(branch(4), nn.Identity()), None),
        (lambda: Network(branch(4), branch(4).append(nn.Dropout())), None),
        (lambda: Network(branch(3, groups=3), branch(3, groups=3)), None),
        (two(kernel=3), None),
        (two(bias=True), None),
        (two(), shared_weight),
        (two(), shared_with_another_layer),
        (two(), in_two_places),
        (two(), observed),
        (two(), lambda network: network.branches["1"][1].eval()),
        (two(), lambda network: setattr(network.branches["0"][1], "momentum", 0.5)),
        (two(), lambda network: network.branches["0"].requires_grad_(False)),
    ],
)
def test_others_stay(make: Callable[[], Network], change: Callable[[Network], None] | None) -> None:
    network = make()
    if change is not None:
        change(network)
    trained = [([p for p in parameters if p.requires_grad], decay) for parameters, decay in groups_of(network)]
    assert merge_branches(network, trained) == trained
    assert type(network.branches) is Branches


def test_branches_that_decay_differently_stay() -> None:
    network = Network(branch(4), branch(4))
    first, second = (list(module.parameters()) for module in network.branches.values())
    merge_branches(network, [(first, 0.1), (second, 0.2)])
    assert type(network.branches) is Branches
