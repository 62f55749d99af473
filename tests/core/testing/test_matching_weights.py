"""Networks that are the same one are found equal, and others are not."""

import pytest
import torch
from nasbench_toolkit.core.testing.matching_weights import KnownPoints, network_traits
from torch import nn


class Branches(nn.Module):
    """A stem, and the sum of what convolutions make of it; each is called where ``uses`` names it."""

    def __init__(self, num_convolutions: int, uses: list[tuple[int, str]]) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
        self.convolutions = nn.ModuleList(nn.Conv2d(6, 6, 3, padding=1) for _ in range(num_convolutions))
        self.uses = uses
        self.head = nn.Linear(6, 3)

    def forward(self, images):
        features = self.stem(images)
        outputs = [torch.relu(convolution(features)) for convolution in self.convolutions]
        used = [self.use(outputs[index], how) for index, how in self.uses]
        return self.head(sum(used).mean(dim=(2, 3)))

    def use(self, values, how):
        return nn.functional.avg_pool2d(values, 3, 1, 1) ** 2 if how == "pool" else values


class Ordered(nn.Module):
    """Two convolutions side by side whose channels come in either order."""

    def __init__(self, order: tuple[int, int]) -> None:
        super().__init__()
        self.order = order
        self.branches = nn.ModuleList([nn.Conv2d(2, 4, 1), nn.Conv2d(2, 4, 3, padding=1)])
        self.body = nn.Sequential(nn.BatchNorm2d(8), nn.Conv2d(8, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 3))

    def forward(self, images):
        return self.body(torch.cat([self.branches[index](images) for index in self.order], dim=1))


class WithDeadPart(nn.Module):
    """A network, with a convolution beside it that gets zeros, and one whose output is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Branches(1, [(0, "skip")])
        self.fed_with_zeros = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
        self.unused = nn.Conv2d(2, 3, 1)

    def forward(self, images):
        self.unused(images)
        return self.network(images) + self.fed_with_zeros(torch.zeros_like(images)).mean(dim=(2, 3))


class WithoutCalls(nn.Module):
    """Uses the weights of two linear maps without calling them, in either order."""

    def __init__(self, order: tuple[int, int]) -> None:
        super().__init__()
        self.order = order
        self.maps = nn.ModuleList([nn.Linear(128, 128), nn.Linear(128, 128)])
        self.offset = nn.Parameter(torch.zeros(128))

    def forward(self, images):
        first, second = (self.maps[index] for index in self.order)
        values = torch.tanh(images.flatten(1) @ first.weight + first.bias)
        return torch.tanh(values @ second.weight + second.bias) + self.offset


def difference(first: nn.Module, second: nn.Module) -> str | None:
    images = torch.randn(4, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    points = KnownPoints()
    return network_traits(first, images, points).difference(network_traits(second, images, points))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(Branches(2, [(0, "skip"), (1, "pool")]), Branches(2, [(1, "skip"), (0, "pool")]), id="names"),
        pytest.param(Ordered((0, 1)), Ordered((1, 0)), id="order-of-channels"),
        pytest.param(Branches(1, [(0, "skip")]), WithDeadPart(), id="dead-parts"),
        pytest.param(WithoutCalls((0, 1)), WithoutCalls((1, 0)), id="modules-that-are-not-called"),
    ],
)
def test_same_network_is_found_equal(first, second):
    assert difference(first, second) is None


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        pytest.param(
            Branches(1, [(0, "skip"), (0, "pool")]),
            Branches(2, [(0, "skip"), (1, "pool")]),
            "471 and 801 live parameters",
            id="one-convolution-used-twice",
        ),
        pytest.param(Branches(1, [(0, "skip")]), Branches(1, [(0, "pool")]), "outputs that differ", id="operation"),
        pytest.param(
            Branches(2, [(0, "skip"), (0, "pool"), (1, "skip")]),
            Branches(2, [(0, "skip"), (1, "pool"), (1, "pool")]),
            "outputs that differ",
            id="which-convolution-is-used-twice",
        ),
        pytest.param(
            WithoutCalls((0, 1)), WithoutCalls((0, 0)), "live parameters", id="map-that-is-used-twice-without-a-call"
        ),
    ],
)
def test_other_network_is_found_different(first, second, message):
    assert message in difference(first, second)


def test_weights_do_not_depend_on_global_generators():
    outputs = []
    images = torch.ones(4, 2, 8, 8, dtype=torch.float64)
    for seed in (1, 2):
        torch.manual_seed(seed)
        outputs.append(network_traits(Ordered((0, 1)), images, KnownPoints()).outputs)
    assert torch.equal(*outputs)


def test_points_that_differ_by_rounding_are_one():
    points = KnownPoints()
    assert points.index("row", (1.0, 2.0)) == points.index("row", (1.0 + 1e-12, 2.0 - 1e-12)) == 1
    assert points.index("row", (1.0, 2.1)) == 2
    assert points.index("row", (1.0 - 1e-12, 2.1)) == 2
    assert points.index("gradient", (1.0, 2.0)) == 1
