"""The finite difference of DARTS against the gradient through the unrolled step."""

import pytest
import torch
from nasbench_toolkit.plugins.weight_sharing.second_order import unrolled_gradient

STEP = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-4}


class Toy:
    """Residuals of s0 tanh(Xw) + s1 Xw + s2 sin(Xw), with s = softmax(alpha)."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)

        def draw(*shape):
            return torch.randn(shape, dtype=torch.float64, generator=generator)

        self.weights = draw(4).requires_grad_()
        self.alphas = draw(3).requires_grad_()
        self.momentum = draw(4)
        self.parts = [(draw(20, 4), draw(20)) for _ in range(2)]

    def loss(self, part, weights=None):
        inputs, targets = self.parts[part]
        values = inputs @ (self.weights if weights is None else weights)
        shares = torch.softmax(self.alphas, 0)
        outputs = shares[0] * torch.tanh(values) + shares[1] * values + shares[2] * torch.sin(values)
        return ((outputs - targets) ** 2).mean()

    def finite(self, **changed):
        return unrolled_gradient(
            lambda: self.loss(0), lambda: self.loss(1), [self.weights], self.alphas, buffers=[self.momentum],
            **STEP | changed,
        )  # fmt: skip

    def exact(self):
        (gradient,) = torch.autograd.grad(self.loss(0), [self.weights], create_graph=True)
        rate, factor, decay = STEP.values()
        after = self.weights - rate * (factor * self.momentum + gradient + decay * self.weights)
        return torch.autograd.grad(self.loss(1, after), [self.alphas])[0]


@pytest.fixture
def toy():
    return Toy()


def error(found, expected) -> float:
    return float((found - expected).norm() / expected.norm())


def test_it_is_the_gradient_through_the_step(toy) -> None:
    assert error(toy.finite(), toy.exact()) < 1e-5
    first = torch.autograd.grad(toy.loss(1), [toy.alphas])[0]
    assert error(first, toy.exact()) > 1e-3


def test_the_error_falls_as_the_square_of_the_displacement(toy) -> None:
    errors = [error(toy.finite(displacement=displacement), toy.exact()) for displacement in (0.3, 0.03)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.3)


def test_without_a_step_it_is_the_first_order(toy) -> None:
    first = torch.autograd.grad(toy.loss(1), [toy.alphas])[0]
    assert torch.equal(toy.finite(learning_rate=0.0), first)


def test_weights_are_as_before_bit_for_bit(toy) -> None:
    before = toy.weights.detach().clone()
    toy.finite()
    assert torch.equal(toy.weights, before)


def test_weights_are_as_before_where_a_loss_fails(toy) -> None:
    before = toy.weights.detach().clone()

    def fail():
        raise RuntimeError("no loss")

    with pytest.raises(RuntimeError, match="no loss"):
        unrolled_gradient(lambda: toy.loss(0), fail, [toy.weights], toy.alphas, buffers=[None], **STEP)
    assert torch.equal(toy.weights, before)


def test_the_strategy_takes_it_and_keeps_weights_and_running_statistics(begin) -> None:
    strategy = begin("darts:order=second", batch_norm="running")
    batch = next(strategy.images.weight_batches())
    weights = [weight.detach().clone() for weight in strategy.weights]
    alphas = strategy.alphas.values.detach().clone()
    tracked = [name for name, _ in strategy.supernet.named_buffers() if name.endswith("num_batches_tracked")]
    strategy._train_alphas(batch, strategy.images.architecture_batch(8))
    assert all(map(torch.equal, weights, strategy.weights))
    assert not torch.equal(alphas, strategy.alphas.values)
    # The training loss at the weights and at both displacements; that after the step is of a copy.
    assert {int(strategy.supernet.state_dict()[name]) for name in tracked} == {3}
