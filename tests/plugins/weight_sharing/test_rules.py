"""What runs at a decision, and which gradients that leads to."""

import pytest
import torch
from nasbench_toolkit.core.errors import DivergedError
from nasbench_toolkit.core.supernets import SinglePath
from nasbench_toolkit.plugins.weight_sharing.controller import Controller
from nasbench_toolkit.plugins.weight_sharing.gumbel import sample
from nasbench_toolkit.plugins.weight_sharing.rules import Mixture, PathPerCell, Sampled
from torch import nn


@pytest.fixture
def images():
    return torch.randn(4, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def operations():
    return nn.ModuleList(nn.Conv2d(2, 2, 1) for _ in range(3)).double()


@pytest.fixture
def inputs():
    return torch.randn(2, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def test_probabilities_that_are_no_numbers_are_said(begin) -> None:
    said = pytest.raises(DivergedError, match="the probabilities of options became nan")
    with said:
        sample(torch.tensor([[0.0, torch.nan]]), 1.0, torch.Generator())
    search = begin("setn")
    with torch.no_grad():
        search.alphas.values[1, 2] = torch.nan
    with said:
        search.alphas.derive()
    with said:
        next(search.alphas.ranked_choices())
    controller = Controller([2, 2])
    with torch.no_grad():
        controller.linear.bias[0] = torch.nan
    with said:
        controller.sample(torch.Generator())


def test_a_search_whose_parameters_diverge_ends(begin) -> None:
    search = begin("gdas", learning_rate="1e30", clip="0")
    with pytest.raises(DivergedError, match="became nan"):
        search.train_epoch()


def test_a_mixture_of_one_option_is_its_path(supernet, images) -> None:
    choice = (1, 3, 0, 2, 4, 3)
    logits = torch.zeros(6, 5, dtype=torch.float64)
    logits[range(6), choice] = 50.0
    expected = supernet(images, SinglePath(choice))
    assert torch.allclose(supernet(images, Mixture(torch.softmax(logits, -1))), expected, rtol=0, atol=1e-12)


def test_a_mixture_does_not_depend_on_the_order_of_options(operations, inputs) -> None:
    weights, order = torch.rand(1, 3, dtype=torch.float64), [2, 0, 1]
    other = Mixture(weights[:, order])(0, nn.ModuleList(operations[k] for k in order), inputs)
    assert torch.allclose(Mixture(weights)(0, operations, inputs), other, rtol=0, atol=1e-14)


def test_the_gradient_of_a_share_is_the_product_of_output_and_gradient(operations, inputs) -> None:
    weights = torch.rand(1, 3, dtype=torch.float64, requires_grad=True)
    output = Mixture(weights)(0, operations, inputs)
    upstream = torch.randn_like(output)
    output.backward(upstream)
    expected = [float((upstream * operation(inputs)).sum().detach()) for operation in operations]
    assert weights.grad[0].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("straight_through", ["bias", "chosen", "full"])
def test_gradients_of_options_that_were_not_sampled(operations, inputs, straight_through) -> None:
    weights = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    output = Sampled(weights, (1,), straight_through)(0, operations, inputs)
    assert torch.equal(output, operations[1](inputs))
    upstream = torch.randn_like(output)
    output.backward(upstream)
    products = [float((upstream * operation(inputs)).sum().detach()) for operation in operations]
    others = {"bias": [float(upstream.sum())] * 2, "chosen": [0.0, 0.0], "full": [products[0], products[2]]}
    expected = [others[straight_through][0], products[1], others[straight_through][1]]
    assert weights.grad[0].tolist() == pytest.approx(expected, rel=1e-12)


def test_only_the_sampled_operation_runs(inputs) -> None:
    class Failing(nn.Module):
        def forward(self, x):
            raise AssertionError

    operations = nn.ModuleList([Failing(), nn.Identity(), Failing()])
    assert torch.equal(Sampled(torch.eye(3)[1:2], (1,))(0, operations, inputs), inputs)


def test_every_cell_draws_its_own_path(supernet, images) -> None:
    drawn = []

    def draw():
        drawn.append((len(drawn),) * 6)
        return drawn[-1]

    supernet(images, PathPerCell(draw))
    assert drawn == [(0,) * 6, (1,) * 6, (2,) * 6]


def test_samples_are_one_hot_with_a_soft_gradient() -> None:
    logits = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    hard, choice = sample(torch.log_softmax(logits, -1), 0.7, torch.Generator().manual_seed(3))
    one = torch.zeros(6, 5, dtype=torch.float64).scatter(-1, torch.tensor(choice)[:, None], 1.0)
    assert torch.equal(hard[one == 0], torch.zeros(24, dtype=torch.float64))
    assert torch.allclose(hard.sum(-1), torch.ones(6, dtype=torch.float64), rtol=0, atol=1e-12)
    upstream = torch.randn_like(hard)
    (gradient,) = torch.autograd.grad(hard, [logits], upstream)
    # The same noise again, and the gradient of the softmax alone.
    noise = -torch.empty(6, 5, dtype=torch.float64).exponential_(generator=torch.Generator().manual_seed(3)).log()
    soft = torch.softmax((torch.log_softmax(logits, -1) + noise) / 0.7, -1)
    assert soft.argmax(-1).tolist() == list(choice)
    (expected,) = torch.autograd.grad(soft, [logits], upstream)
    assert torch.allclose(gradient, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("temperature", [0.1, 10.0])
def test_options_are_sampled_with_their_probabilities_at_any_temperature(temperature) -> None:
    log_probabilities = torch.log_softmax(torch.tensor([0.0, 1.0, -1.0, 0.5, 0.0], dtype=torch.float64), 0)
    draws = 20_000
    _, choices = sample(log_probabilities.expand(draws, 5), temperature, torch.Generator().manual_seed(4))
    counts = torch.bincount(torch.tensor(choices), minlength=5)
    expected = draws * log_probabilities.exp()
    # Chi-square with 4 degrees of freedom is above 18.5 once in a thousand times.
    assert float(((counts - expected) ** 2 / expected).sum()) < 18.5
