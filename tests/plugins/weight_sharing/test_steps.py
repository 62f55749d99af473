"""Which images each step of a strategy is taken on, and in which order."""

import pytest
import torch


def parts_of_losses(strategy):
    """Take one step; return of each loss on the way which part its images are of, and the images."""
    seen = []
    inputs = {
        name: (part.source.inputs[part.positions] - 0.5) / 0.25
        for name, part in (("weights", strategy.images.weights), ("architectures", strategy.images.architectures))
    }

    def note(compute):
        def run(batch, rule):
            (name,) = (
                name
                for name, images in inputs.items()
                if all((image == images).flatten(1).all(1).any() for image in batch[0])
            )
            seen.append((name, batch[0]))
            return compute(batch, rule)

        return run

    strategy.loss = note(strategy.loss)
    if hasattr(strategy, "_loss_of_a_copy"):
        strategy._loss_of_a_copy = note(strategy._loss_of_a_copy)
    strategy._step(next(strategy.images.weight_batches()))
    return seen


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rsps", ["weights"]),
        ("darts", ["weights", "architectures"]),
        ("darts:steps=alpha-first", ["architectures", "weights"]),
        # The step that is looked through, what it leads to, both sides of the finite difference; then the weights' own.
        ("darts:order=second", ["weights", "architectures", "weights", "weights", "weights"]),
        (
            "darts:order=second,steps=weights-first",
            ["weights", "weights", "architectures", "weights", "weights"],
        ),
        ("gdas", ["weights", "architectures"]),
        ("setn", ["weights", "architectures"]),
        ("enas", ["weights"]),
    ],
)
def test_steps_are_taken_on_their_part_of_the_images(begin, name, expected) -> None:
    seen = parts_of_losses(begin(name, augment="false"))
    assert [part for part, _ in seen] == expected
    for part in ("weights", "architectures"):
        first, *others = (images for name, images in seen if name == part) if part in expected else (None,)
        assert all(torch.equal(first, images) for images in others)


def test_architecture_parameters_begin_near_zero_and_take_steps_of_adam(begin, context) -> None:
    strategy = begin("darts", alpha_learning_rate=0.1, alpha_weight_decay=0.01)
    values = strategy.alphas.values
    drawn = torch.randn(6, 5, generator=context().generator("architecture parameters"))
    assert torch.equal(values.detach(), 1e-3 * drawn)
    # Adam written out, with betas of 0.5 and 0.999, the penalty a part of the gradient.
    expected, mean, square = values.detach().double(), 0.0, 0.0
    for step, factor in enumerate((1.0, -0.3, 2.0), start=1):
        gradient = factor * torch.arange(1.0, 31.0).view(6, 5) / 30
        strategy.alphas.descend(gradient)
        gradient = gradient.double() + 0.01 * expected
        mean = 0.5 * mean + 0.5 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        expected = expected - 0.1 * mean / (1 - 0.5**step) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
    torch.testing.assert_close(values.detach().double(), expected, rtol=1e-5, atol=1e-7)
