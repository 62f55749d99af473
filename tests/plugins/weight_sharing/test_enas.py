"""The controller and how it learns."""

import math

import pytest
import torch
from nasbench_toolkit.plugins.weight_sharing.controller import Controller
from nasbench_toolkit.plugins.weight_sharing.reinforcement import Reinforcement


def controller(*counts: int) -> Controller:
    torch.manual_seed(0)
    return Controller(list(counts)).double()


class Enumerated:
    """A controller of one decision: every option with its probability, log-probability and entropy."""

    def __init__(self, made):
        self.made = made
        generator = torch.Generator().manual_seed(0)
        samples = {}
        while len(samples) < made.counts[0]:
            sample = made.sample(generator)
            samples[sample.choice[0]] = sample
        self.samples = [samples[option] for option in sorted(samples)]

    def expected_gradient(self, loss):
        """Return the expectation over all options of the gradient of their loss."""
        total = sum(float(sample.log_probability.detach().exp()) * loss(sample) for sample in self.samples)
        gradients = torch.autograd.grad(total, list(self.made.parameters()), allow_unused=True, retain_graph=True)
        return torch.cat([each.flatten() for each in gradients if each is not None])


def test_the_expected_gradient_is_that_of_the_expected_reward(settings) -> None:
    made = controller(4)
    enumerated, learning = Enumerated(made), Reinforcement(made, settings("enas", entropy_weight=0.0))
    learning.baseline = 0.3
    rewards = [0.1, 0.5, 0.9, 0.2]
    found = enumerated.expected_gradient(lambda sample: learning.loss(sample, rewards[sample.choice[0]])[0])
    value = sum(sample.log_probability.exp() * rewards[sample.choice[0]] for sample in enumerated.samples)
    gradients = torch.autograd.grad(-value, list(made.parameters()), allow_unused=True)
    # The baseline moves by a hundredth of each reward, and so leaves 0.99 of the gradient.
    expected = 0.99 * torch.cat([each.flatten() for each in gradients if each is not None])
    assert torch.allclose(found, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("entropy", "factor"), [("released", 1.0), ("detached", 0.0), ("bonus", -1.0)])
def test_where_the_entropy_enters(settings, entropy, factor) -> None:
    made, weight = controller(4), 0.1
    enumerated = Enumerated(made)
    learning = Reinforcement(made, settings("enas", entropy=entropy, entropy_weight=weight, baseline_decay=1.0))
    (first, *_) = enumerated.samples
    learning.baseline = 0.5 if entropy == "bonus" else 0.5 + weight * float(first.entropy.detach())
    found = enumerated.expected_gradient(lambda sample: learning.loss(sample, 0.5)[0])
    gradients = torch.autograd.grad(first.entropy, list(made.parameters()), allow_unused=True)
    gradient = torch.cat([each.flatten() for each in gradients if each is not None])
    # With a constant reward, descent lowers the entropy as released: the gradient is + w H dH, not 0 and not - w dH.
    scale = {"released": weight * float(first.entropy.detach()), "detached": 0.0, "bonus": weight}[entropy]
    assert torch.allclose(found, factor * scale * gradient, rtol=1e-6, atol=1e-12)


def test_logits_are_squashed_behind_a_temperature() -> None:
    # The linear layer gives 5 to the first of four options and 0 to the others: 2.5 tanh(5 / 5) and 0.
    made = controller(4)
    with torch.no_grad():
        made.linear.weight.zero_()
        made.linear.bias.copy_(torch.tensor([5.0, 0.0, 0.0, 0.0]))
    share = math.exp(2.5 * math.tanh(1.0))
    expected = [share / (share + 3), *[1 / (share + 3)] * 3]
    found = [float(sample.log_probability.detach().exp()) for sample in Enumerated(made).samples]
    assert found == pytest.approx(expected)


def test_a_step_follows_the_mean_gradient_of_its_samples(settings) -> None:
    given = settings(
        "enas", controller_steps=1, controller_samples=5, controller_clip=0, controller_learning_rate=0.0,
        entropy_weight=0.0, baseline_decay=1.0,
    )  # fmt: skip
    made = controller(3, 2)
    learning = Reinforcement(made, given)
    learning.baseline = 0.25

    def reward(sample):
        return sum(sample.choice) / 3

    learning.train(reward, torch.Generator().manual_seed(3))
    found = torch.cat([each.grad.flatten() for each in made.parameters()])
    generator = torch.Generator().manual_seed(3)
    samples = [made.sample(generator) for _ in range(5)]
    loss = sum(-sample.log_probability * (reward(sample) - 0.25) for sample in samples) / 5
    expected = torch.cat([each.flatten() for each in torch.autograd.grad(loss, list(made.parameters()))])
    assert expected.norm() > 0
    torch.testing.assert_close(found, expected)


def test_the_controller_learns_which_options_are_rewarded(settings) -> None:
    made, target = controller(3, 3), (2, 0)
    learned = settings(
        "enas", controller_steps=60, controller_samples=10, controller_learning_rate=0.03, controller_epsilon=1e-8,
        baseline="sample", baseline_decay=0.95,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(1)

    def hits(sample):
        return sum(map(int.__eq__, sample.choice, target)) / 2

    Reinforcement(made, learned).train(hits, generator)
    with torch.no_grad():
        samples = [made.sample(generator) for _ in range(100)]
    assert sum(map(hits, samples)) / 100 > 0.8
    # Logits stay within 2.5 of 0: with three options no probability is above 1 / (1 + 2 exp(-5)).
    bound = 2 * torch.log(1 / (1 + 2 * torch.exp(torch.tensor(-5.0))))
    assert max(float(sample.log_probability) for sample in samples) < bound


def test_the_baseline_hardly_moves_within_an_epoch(settings) -> None:
    for kept, after in (("last", 0.99 * 0.5 + 0.01 * 0.7), ("mean", 0.99 * 0.5 + 0.01 * 0.35)):
        learning = Reinforcement(controller(2), settings("enas", baseline=kept, entropy_weight=0.0))
        learning.baseline = 0.5
        rewards = iter([0.0, 0.7, 0.0, 0.7])
        figures = learning.train(lambda _, rewards=rewards: next(rewards), torch.Generator().manual_seed(0))
        assert learning.baseline == pytest.approx(after)
        assert figures["reward_accuracy"] == pytest.approx(35.0)
    first = Reinforcement(controller(2), settings("enas", entropy_weight=0.0))
    sample = Enumerated(controller(2)).samples[0]
    assert float(first.loss(sample, 0.4)[0].detach()) == 0.0
    # The very first baseline is the accuracy, without the entropy of the reward.
    first = Reinforcement(controller(2), settings("enas", entropy_weight=0.5))
    loss, baseline = first.loss(sample, 0.4)
    assert baseline == 0.4
    log_probability, entropy = sample.log_probability.detach(), sample.entropy.detach()
    assert float(loss.detach()) == pytest.approx(-float(log_probability) * 0.5 * float(entropy))


def test_the_learning_rate_oscillates_and_rewards_are_of_augmented_images(begin, monkeypatch) -> None:
    strategy = begin("enas", epochs=21, controller_steps=1, controller_samples=1)
    asked = []
    monkeypatch.setattr(
        strategy.images, "selection_batch",
        lambda *, augmented, draw=strategy.images.selection_batch: asked.append(augmented) or draw(augmented=augmented),
    )  # fmt: skip
    rates = []
    for epoch in (0, 10, 20):
        strategy.epoch = epoch
        rates.append(strategy.train_epoch()["learning_rate"])
    assert rates == pytest.approx([0.05, 0.0005, 0.05])
    assert asked == [True] * 3
