"""A path through the supernet is the stand-alone network, bit for bit."""

import itertools

import pytest
import torch
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.core.supernets import SinglePath, SupernetNorm
from nasbench_toolkit.plugins.search_spaces.nasbench201.supernet import CellSupernet
from torch.nn import functional

# An orthogonal array of strength 2: every operation on every edge, and every pair of them on every pair of edges.
COVERING = [(i, j, *((i + k * j) % 5 for k in range(1, 5))) for i, j in itertools.product(range(5), repeat=2)]
UNIFORM = [(op,) * 6 for op in range(5)]


def make_supernet(norm=None, dtype=torch.float64) -> CellSupernet:
    torch.manual_seed(0)
    return CellSupernet(
        input_channels=1, stem_channels=2, cells_per_stage=1, num_classes=3, norm=norm or SupernetNorm()
    ).to(dtype)  # fmt: skip


@pytest.fixture
def images():
    return torch.randn(4, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_the_choices_cover_all_pairs_of_operations_on_all_pairs_of_edges() -> None:
    for first, second in itertools.combinations(range(6), 2):
        assert len({(choice[first], choice[second]) for choice in COVERING}) == 25


@pytest.mark.parametrize("norm", [SupernetNorm(), SupernetNorm(tracked=True), SupernetNorm(plain_last=True)])
def test_a_path_is_the_stand_alone_network_in_outputs_and_gradients(images, norm) -> None:
    supernet = make_supernet(norm)
    # Running statistics that are not those of a new network.
    supernet(images + 1, SinglePath((3,) * 6))
    labels = torch.tensor([0, 1, 2, 0])
    for choice in COVERING + UNIFORM:
        network = supernet.path_network(choice)
        for training in (False, True):
            supernet.train(training)
            network.train(training)
            assert torch.equal(supernet(images, SinglePath(choice)), network(images)), choice
        supernet.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        functional.cross_entropy(supernet(images, SinglePath(choice)), labels).backward()
        assert gradients(supernet) == gradients(network)


def gradients(module) -> list[float]:
    """Return the norms of all gradients that are not 0, in the order of the network; equal ones are equal bits."""
    named = dict(module.named_parameters())
    ordered = sorted(named, key=lambda name: name.replace("skeleton.", ""))
    norms = [named[name].grad.norm().item() for name in ordered if named[name].grad is not None]
    return sorted(norm for norm in norms if norm)


def test_operations_that_are_not_chosen_get_no_gradient(images) -> None:
    supernet = make_supernet()
    supernet(images, SinglePath((3,) * 6)).sum().backward()
    touched = {name for name, parameter in supernet.named_parameters() if parameter.grad is not None}
    assert not any(f".edges.{edge}.2." in name for name in touched for edge in range(6))
    assert sum(".edges." in name for name in touched) == 3 * 6 * 2


def test_a_path_network_has_weights_of_its_own(images) -> None:
    supernet = make_supernet()
    before, state = supernet(images, SinglePath((3,) * 6)), torch.get_rng_state()
    network = supernet.path_network((3,) * 6)
    assert torch.equal(torch.get_rng_state(), state)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    supernet.eval(), supernet.train()
    assert torch.equal(supernet(images, SinglePath((3,) * 6)), before)


def test_choices_are_spelled_and_read() -> None:
    supernet = make_supernet()
    text = "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|"
    assert supernet.spell((0, 1, 2, 3, 4, 1)) == text
    assert supernet.choice_of(text) == (0, 1, 2, 3, 4, 1)
    assert supernet.names((0, 1, 2, 3, 4, 1))[3:] == ("nor_conv_3x3", "avg_pool_3x3", "skip_connect")
    assert supernet.nodes == ((0,), (1, 2), (3, 4, 5))
    with pytest.raises(InvalidArchitectureError, match="unknown operation 'conv'"):
        supernet.choice_of(text.replace("none", "conv"))


def test_what_is_not_finite_stays_visible_behind_none() -> None:
    supernet = make_supernet().eval()
    assert not supernet(torch.full((2, 1, 8, 8), torch.nan, dtype=torch.float64), SinglePath((0,) * 6)).isfinite().any()
