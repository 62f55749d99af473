import dataclasses
import math

import pytest
import torch
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.errors import DivergedError, InvalidSettingError
from nasbench_toolkit.plugins.evaluators.trained.augmentation import normalize
from nasbench_toolkit.plugins.evaluators.trained.jigsaw import Jigsaw
from nasbench_toolkit.plugins.evaluators.trained.training import Training, learning_rate_at
from torch import nn
from torch.nn import functional


def test_learning_rate_is_half_a_cosine_of_the_full_schedule():
    assert [learning_rate_at(epoch, 4, 2.0) for epoch in range(4)] == pytest.approx(
        [2.0, 1 + math.sqrt(0.5), 1.0, 1 - math.sqrt(0.5)]
    )


def plain_training(context, settings):
    """Do the same the plain way: own optimiser, one image at a time, batch norm from a single forward pass.

    Draws its random numbers in the same order, and has one precise batch only.
    """
    network = context.network()
    data, info = context.training_part(), context.dataset
    train = context.shared("order of training images", lambda g: torch.randperm(len(data.labels), generator=g))
    streams = {name: context.generator(name) for name in ("order", "augmentation", "batch norm")}
    momenta = [torch.zeros_like(p) for p in network.parameters()]
    losses, accuracies = [], []

    def augmented(batch, generator):
        mirrored = torch.rand(len(batch), 1, generator=generator) < 0.5
        offsets = torch.randint(4, (2, len(batch), 1), generator=generator)
        result = []
        for image, mirror, y, x in zip(normalize(batch, info), mirrored, *offsets, strict=True):
            padded = functional.pad(image.flip(-1) if mirror else image, (2, 2, 2, 2))
            result.append(padded[:, y : y + 16, x : x + 16])
        return torch.stack(result)

    for epoch in range(settings.epochs):
        rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / settings.max_epochs))
        order = train[torch.randperm(len(train), generator=streams["order"])]
        network.train()
        epoch_losses = []
        for step in range(len(order) // settings.batch_size):
            batch = order[step * settings.batch_size : (step + 1) * settings.batch_size]
            loss = functional.cross_entropy(
                network(augmented(data.inputs[batch], streams["augmentation"])), data.labels[batch]
            )
            gradients = torch.autograd.grad(loss, list(network.parameters()))
            with torch.no_grad():
                for p, g, m in zip(network.parameters(), gradients, momenta, strict=True):
                    g = g + settings.weight_decay * p
                    m.mul_(0.9).add_(g)
                    p.sub_(rate * (g + 0.9 * m))
            epoch_losses.append(loss.item())
        losses.append(sum(epoch_losses) / len(epoch_losses))
        batch = train[torch.randperm(len(train), generator=streams["batch norm"])][: settings.batch_size]
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
        with torch.no_grad():
            network(augmented(data.inputs[batch], streams["batch norm"]))
            network.eval()
            test = context.held_out_part()
            hits = network(normalize(test.inputs, info)).argmax(1) == test.labels
        accuracies.append(100 * hits.double().mean().item())
    return losses, accuracies


@pytest.mark.parametrize("batch_size", [64, 48])
def test_training_equals_plain_training(make_context, batch_size):
    # 64 images to train on: one full batch an epoch, and one for batch normalisation; what is left over does not count.
    context, evaluator = make_context(epochs=3, batch_size=batch_size, max_epochs=5)
    evaluation = evaluator.evaluate(context)
    losses, accuracies = plain_training(context, evaluator.settings)
    assert evaluation.curves["train_loss"] == pytest.approx(losses, rel=1e-5)
    assert evaluation.curves["test_accuracy"] == pytest.approx(accuracies)
    assert evaluation.score == evaluation.curves["test_accuracy"][-1]


def test_batch_norm_gets_the_statistics_of_1024_images(make_context, stripes, monkeypatch):
    class ManyStripes(stripes.factory):
        count = 1400  # of which a fifth is held out

    seen = []
    monkeypatch.setattr(Training, "train_epoch", lambda self, learning_rate: 0.0)
    monkeypatch.setattr(
        "nasbench_toolkit.plugins.evaluators.trained.training.set_precise_statistics",
        lambda network, batches: seen.append([len(inputs) for inputs in batches]),
    )
    dataset = dataclasses.replace(stripes, name="many-stripes", factory=ManyStripes)
    context, evaluator = make_context(dataset=dataset, epochs=1, batch_size=128)
    evaluator.evaluate(context)
    assert seen == [[128] * 8]


def test_random_choices_of_the_test_are_the_same_after_every_epoch_and_for_all_architectures(make_context, monkeypatch):
    classes, test_batch = [], Jigsaw.test_batch

    def look(self, *given):
        tiles, of_tiles = test_batch(self, *given)
        classes.append(of_tiles)
        return tiles, of_tiles

    monkeypatch.setattr(Jigsaw, "test_batch", look)
    for cell in (
        "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    ):
        context, evaluator = make_context("jig", cell, epochs=2, batch_size=32)
        evaluator.evaluate(context)
    assert len(classes) == 4
    assert len(classes[0].unique()) > 1
    assert all(torch.equal(classes[0], others) for others in classes[1:])


def test_training_learns(score):
    record = score(epochs=8, batch_size=8, max_epochs=8)
    assert record.status is Status.OK, record.message
    assert record.score >= 90
    assert record.curves["train_loss"][-1] < 0.5 * record.curves["train_loss"][0]


@pytest.mark.parametrize("name", ["cls", "rot", "col", "jig", "econas"])
def test_short_run_is_the_beginning_of_a_longer_one(score, name):
    short, long = (
        score(name, epochs=epochs, batch_size=16, max_epochs=6, train_images=32, test_images=10) for epochs in (1, 2)
    )
    assert long.status is Status.OK, long.message
    for curve in ("train_loss", "test_accuracy"):
        assert long.curves[curve][:1] == short.curves[curve]
    assert short.score == long.curves["test_accuracy"][0]


def test_other_schedule_gives_other_losses(score):
    first, second = (score(epochs=2, batch_size=16, max_epochs=epochs).curves["train_loss"] for epochs in (2, 9))
    assert first != second


def test_score_depends_on_seed(score):
    first, second = (score(epochs=1, batch_size=16, seed=seed).curves["train_loss"] for seed in (0, 1))
    assert first != second


def test_diverged_training_says_when(score):
    record = score(epochs=9, batch_size=8, learning_rate=1e30)
    assert record.status is Status.DIVERGED
    assert "in epoch" in record.message or "after epoch" in record.message


def test_not_finite_images_diverge(score, monkeypatch):
    monkeypatch.setattr(
        "nasbench_toolkit.plugins.evaluators.trained.classification.normalize",
        lambda images, dataset: images * math.nan,
    )
    record = score(epochs=1)
    assert record.status is Status.DIVERGED
    assert "training loss became nan in epoch 1" in record.message


def test_not_finite_output_in_the_test_diverges(make_context, monkeypatch):
    context, evaluator = make_context(epochs=1)
    monkeypatch.setattr(
        "nasbench_toolkit.plugins.evaluators.trained.training.set_precise_statistics",
        lambda network, batches: network.classifier.bias.data.fill_(math.nan),
    )
    with pytest.raises(DivergedError, match="not finite after epoch 1"):
        evaluator.evaluate(context)


def test_subset_is_used(make_context):
    context, evaluator = make_context(epochs=1, train_images=10, test_images=4)
    evaluation = evaluator.evaluate(context)
    assert evaluation.score in (0, 25, 50, 75, 100)


@pytest.mark.parametrize(("setting", "part"), [("train_images", "training"), ("test_images", "test")])
def test_too_large_subset_fails(score, setting, part):
    record = score(epochs=1, **{setting: 1000})
    assert record.status is Status.FAILED
    assert f"1000 {part} images" in record.message


def test_network_without_path_stays_at_chance(score, dead_cell):
    record = score(arch_id=dead_cell, epochs=2)
    assert record.status is Status.OK, record.message


def test_more_epochs_than_the_schedule_has_is_refused(make_context):
    with pytest.raises(InvalidSettingError, match="after epoch 11 of a schedule of 10"):
        make_context(epochs=11, max_epochs=10)


def test_global_generator_is_left_alone(make_context):
    context, evaluator = make_context(epochs=1)
    state = torch.get_rng_state()
    evaluator.evaluate(context)
    assert torch.equal(torch.get_rng_state(), state)
