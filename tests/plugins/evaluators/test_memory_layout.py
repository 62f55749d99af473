import pytest
import torch
from nasbench_toolkit.plugins.evaluators.memory_layout import channels_last_inputs, is_dense, order_channels_last
from torch import Tensor, nn


class AsVector(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps.view(len(maps), -1)


def make_network(*behind: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), *behind)


def is_channels_last(tensor: Tensor) -> bool:
    return tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()


IMAGES = torch.arange(2.0 * 3 * 6 * 6).reshape(2, 3, 6, 6)


def test_images_are_ordered_channels_last() -> None:
    ordered = channels_last_inputs(make_network(nn.Flatten()), IMAGES)
    assert is_channels_last(ordered)
    assert torch.equal(ordered, IMAGES)


def test_network_that_needs_channels_first_gets_them() -> None:
    network = make_network(AsVector())
    assert channels_last_inputs(network, IMAGES) is IMAGES
    assert not order_channels_last(network, IMAGES)
    assert network[0].weight.is_contiguous()
    network(IMAGES)


def test_weights_are_ordered_channels_last() -> None:
    network = make_network()
    before = [parameter.clone() for parameter in network.parameters()]
    parameters = [*network.parameters()]
    assert order_channels_last(network, IMAGES)
    assert is_channels_last(network[0].weight)
    assert all(old is new for old, new in zip(parameters, network.parameters(), strict=True))
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))


@pytest.mark.parametrize("behind", [nn.Flatten(), AsVector()], ids=["any", "channels first"])
def test_trial_leaves_statistics_modes_and_random_numbers(behind: nn.Module) -> None:
    network = make_network(behind).eval()
    state, random_state = {name: value.clone() for name, value in network.state_dict().items()}, torch.get_rng_state()
    channels_last_inputs(network, IMAGES)
    order_channels_last(network, IMAGES)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not any(module.training for module in network.modules())


def test_what_is_no_image_stays_as_it_is() -> None:
    tokens = torch.zeros(2, 5)
    assert channels_last_inputs(nn.Linear(5, 1), tokens) is tokens


def test_network_that_makes_images_of_its_inputs_is_ordered() -> None:
    tiles = torch.zeros(2, 4, 3, 6, 6)
    assert order_channels_last(nn.Sequential(nn.Flatten(0, 1), nn.Conv2d(3, 4, 3)), tiles)
    network = nn.Sequential(nn.Flatten(0, 1), nn.Conv2d(3, 4, 3), AsVector())
    assert not order_channels_last(network, tiles)
    assert network[1].weight.is_contiguous()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (torch.zeros(2, 3, 4, 5), True),
        (torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last), True),
        (torch.zeros(2, 3, 4, 5).transpose(2, 3), False),
        (torch.zeros(2, 3).T, False),
    ],
)
def test_values_without_gaps_are_told(values, expected):
    assert is_dense(values) is expected
