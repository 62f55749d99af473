import copy
import dataclasses
from contextlib import nullcontext

import pytest
import torch
from nasbench_toolkit.core.checked_evaluation import checked_evaluation
from nasbench_toolkit.core.errors import DivergedError
from nasbench_toolkit.plugins.evaluators.gennas.regression_network import (
    RegressionNetwork,
    parameter_groups,
    regression_parameters,
)
from nasbench_toolkit.plugins.evaluators.gennas.settings import ComboSettings
from nasbench_toolkit.plugins.evaluators.gennas.task import Noise
from nasbench_toolkit.plugins.evaluators.gennas.training import RegressionTraining
from torch.nn import functional

SILENT = Noise("gaussian", 0.0)
CHANNELS = [5, 6, 7]
ALL = 1000
"""Scoring passes: more than there are places for."""


@pytest.fixture
def training(make_network, images):
    """Build a training of a tiny network towards random targets."""

    def make(noise=SILENT, **settings):
        options = dataclasses.replace(ComboSettings(score_passes=ALL).resolve(), **settings)
        backbone = make_network()
        torch.manual_seed(1)
        network = RegressionNetwork(backbone, [8, 16, 32], CHANNELS, options.stages, options.head)
        source = torch.Generator().manual_seed(5)
        targets = [torch.randn(4, channels, 8, 8, generator=source) for channels in CHANNELS]
        found = regression_parameters(network, (3, 32, 32))
        return RegressionTraining(
            network,
            parameter_groups(network.named_parameters(), found, options.weight_decay),
            images,
            targets,
            noise,
            options,
            torch.Generator().manual_seed(9),
        )

    return make


def squared_errors(outputs, targets):
    return [((output - target) ** 2).mean().item() for output, target in zip(outputs, targets, strict=True)]


def train_by_hand(training, steps, interval, noisy):
    """Train a copy of the network with SGD and momentum written out; return train losses and stage losses."""
    network, options = copy.deepcopy(training.network), training.options
    velocity = {}
    train_losses, stage_losses = [], []
    for step in range(1, steps + 1):
        network.train()
        outputs = network(noisy(training.images))
        losses = [((output - target) ** 2).mean() for output, target in zip(outputs, training.targets, strict=True)]
        loss = sum(weight * part for weight, part in zip(options.train_weights, losses, strict=True))
        train_losses.append(loss.item())
        named = {name: value for name, value in network.named_parameters() if "classifier" not in name}
        gradients = torch.autograd.grad(loss, list(named.values()))
        with torch.no_grad():
            for (name, value), gradient in zip(named.items(), gradients, strict=True):
                decay = options.weight_decay if value.dim() > 1 else 0.0
                gradient = gradient + decay * value
                velocity[name] = options.momentum * velocity.get(name, 0.0) + gradient
                value -= options.learning_rate * velocity[name]
            if step % interval == 0 or step == steps:
                network.eval()
                outputs = network(noisy(training.images))
                stage_losses.append(squared_errors(outputs, training.targets))
    return train_losses, stage_losses


@pytest.mark.parametrize(
    "noise", [SILENT, Noise("gaussian", 0.5), Noise("uniform", 0.5)], ids=["silent", "gaussian", "uniform"]
)
def test_training_equals_a_loop_by_hand(training, noise) -> None:
    options = {"iterations": 5, "score_interval": 2, "weight_decay": 0.01}
    trained = training(noise, **options)
    source = torch.Generator().manual_seed(9)

    def noisy(images):
        if noise.kind == "uniform":
            return images + torch.empty_like(images).uniform_(-noise.level, noise.level, generator=source)
        return images + noise.level * torch.randn(images.shape, generator=source)

    train_losses, stage_losses = train_by_hand(trained, 5, 2, noisy)
    evaluation = trained.run()
    assert evaluation.curves["train_loss"] == pytest.approx(train_losses, abs=1e-6)
    for index in range(3):
        expected = [losses[index] for losses in stage_losses]
        assert evaluation.curves[f"score_loss_stage{index + 1}"] == pytest.approx(expected, abs=1e-6)
    totals = [0.25 * first + 0.5 * second + third for first, second, third in stage_losses]
    assert evaluation.curves["score_loss"] == pytest.approx(totals, abs=1e-6)
    assert len(totals) == 3
    assert evaluation.score == evaluation.curves["score_loss"][-1]


@pytest.mark.parametrize("noise", [SILENT, Noise("gaussian", 0.5)], ids=["silent", "noisy"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_recorded_training_is_the_same(training, noise, fails) -> None:
    class Recorder:
        """Replays steps; what was recorded sees the same image tensor each time."""

        beside = staticmethod(nullcontext)

        def record(self, step):
            if fails:
                raise RuntimeError("cannot be captured")
            returned = torch.zeros(4)
            return lambda: returned.copy_(step()), returned

    eager, recorded = training(noise), training(noise)
    step = recorded.graphed_step(Recorder())
    assert [step().tolist() for _ in range(7)] == [eager.train_step().tolist() for _ in range(7)]


def test_loss_falls(training) -> None:
    curve = training(iterations=40).run().curves["train_loss"]
    assert curve[-1] < 0.9 * curve[0]


def test_same_seeds_give_the_same_bits(training) -> None:
    noise = Noise("gaussian", 0.3)
    assert training(noise, iterations=6).run() == training(noise, iterations=6).run()


def test_noise_is_redrawn_for_every_pass(training) -> None:
    frozen = {"iterations": 3, "score_interval": 1, "learning_rate": 0.0, "score_mode": "train"}
    quiet = training(SILENT, **frozen).run().curves
    noisy = training(Noise("uniform", 0.3), **frozen).run().curves
    assert len({round(loss, 5) for loss in quiet["train_loss"] + quiet["score_loss"]}) == 1
    assert len({round(loss, 5) for loss in noisy["train_loss"] + noisy["score_loss"]}) == 6


def test_scores_use_running_statistics_and_leave_them_alone(training) -> None:
    trained = training(iterations=3, score_interval=1)
    trained.train_step()
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    losses = trained.score_pass()
    assert all(torch.equal(before[name], value) for name, value in trained.network.state_dict().items())
    assert trained.network.training
    trained.network.eval()
    outputs = trained.network(trained.images)
    expected = squared_errors(outputs, trained.targets)
    assert losses == pytest.approx(expected, abs=1e-6)


def test_score_mode_train_uses_batch_statistics(training) -> None:
    trained = training(score_mode="train")
    trained.train_step()
    trained.network.train()
    with torch.no_grad():
        outputs = trained.network(trained.images)
    expected = squared_errors(outputs, trained.targets)
    assert trained.score_pass() == pytest.approx(expected, abs=1e-6)


def test_stages_without_training_weight_are_neither_trained_nor_scored(training) -> None:
    trained = training(iterations=2, train_weights=(0.0, 0.5, 1.0))
    evaluation = trained.run()
    assert set(evaluation.curves) == {"train_loss", "score_loss", "score_loss_stage2", "score_loss_stage3"}
    second, third = evaluation.curves["score_loss_stage2"][-1], evaluation.curves["score_loss_stage3"][-1]
    assert evaluation.score == pytest.approx(0.5 * second + third)
    assert len(trained.network.heads) == 2


def test_last_stage_is_scored_without_training_weight(training) -> None:
    trained = training(iterations=2, train_weights=(1.0, 0.0, 0.0))
    evaluation = trained.run()
    assert set(evaluation.curves) == {"train_loss", "score_loss", "score_loss_stage1", "score_loss_stage3"}


def test_score_curve_ends_with_the_last_step(training) -> None:
    curves = training(iterations=7, score_interval=3).run().curves
    assert len(curves["train_loss"]) == 7
    assert [len(curve) for name, curve in curves.items() if name != "train_loss"] == [3, 3, 3, 3]


def test_score_is_the_mean_of_the_last_scoring_passes(training) -> None:
    options = {"iterations": 6, "score_interval": 2}
    curve = training(**options).run().curves["score_loss"]
    averaged = training(**options, readout_average=2).run()
    assert averaged.curves["score_loss"] == curve
    assert averaged.score == pytest.approx((curve[1] + curve[2]) / 2, rel=1e-12)


@pytest.mark.parametrize("noise", [SILENT, Noise("uniform", 0.3), Noise("gaussian", 0.2)])
def test_only_the_last_scoring_passes_are_made(training, noise) -> None:
    options = {"noise": noise, "iterations": 11, "score_interval": 2}
    whole = training(**options).run()
    last = training(**options, score_passes=3, readout_average=3)
    counted = []
    last.score_pass = lambda score=last.score_pass: counted.append(1) or score()
    evaluation = last.run()
    assert len(counted) == 3
    assert evaluation.curves["score_loss"] == whole.curves["score_loss"][-3:]
    assert evaluation.curves["train_loss"] == whole.curves["train_loss"]
    assert evaluation.score == pytest.approx(sum(whole.curves["score_loss"][-3:]) / 3, rel=1e-12)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_dropout_of_scoring_passes_changes_no_later_step(training, mode) -> None:
    def run(**settings):
        trained = training(iterations=6, score_interval=2, score_mode=mode, **settings)
        trained.network.register_forward_pre_hook(lambda _, images: functional.dropout(images[0], 0.2))
        torch.manual_seed(3)
        return trained.run()

    whole, last = run(), run(score_passes=1)
    assert last.curves["train_loss"] == whole.curves["train_loss"]
    assert last.score == whole.score
    assert len(set(whole.curves["score_loss"])) == 3


def test_score_of_the_training_steps(training) -> None:
    options = {"iterations": 6, "score_interval": 4, "train_weights": (1.0, 1.0, 1.0), "score_weights": (0.0, 0.0, 1.0)}
    by_passes = training(**options).run().curves
    trained = training(**options, readout="steps", readout_average=3)
    trained.score_pass = None
    evaluation = trained.run()
    curves = evaluation.curves
    # Without noise, scoring passes leave the training as it is.
    assert curves["train_loss"] == by_passes["train_loss"]
    assert curves["score_loss"] == curves["score_loss_stage3"]
    sums = [sum(losses) for losses in zip(*(curves[f"score_loss_stage{stage}"] for stage in (1, 2, 3)), strict=True)]
    assert sums == pytest.approx(curves["train_loss"], rel=1e-6)
    assert len(sums) == 6
    assert evaluation.score == pytest.approx(sum(curves["score_loss"][3:]) / 3, rel=1e-12)


def test_half_precision_gives_nearly_the_same_losses(training) -> None:
    options = {"iterations": 4, "score_interval": 2}
    single = training(**options).run()
    half = training(**options, precision="bfloat16").run()
    assert half.score != single.score
    assert half.score == pytest.approx(single.score, rel=0.05)


def test_exploding_training_is_diverged(training) -> None:
    with pytest.raises(DivergedError, match=r"the loss became (nan|inf) at iteration \d+$"):
        training(iterations=30, learning_rate=1e8).run()


@pytest.mark.parametrize("factor", [float("inf"), float("nan")])
def test_score_that_is_not_finite_is_diverged(training, factor) -> None:
    trained = training(iterations=1)
    trained.network.heads[2][0].register_forward_hook(
        lambda module, _inputs, output: output if module.training else output * factor
    )
    with pytest.raises(DivergedError, match="the score is inf"):
        checked_evaluation(trained.run())


@pytest.mark.parametrize("factor", [1e30, float("inf"), float("nan")])
@pytest.mark.parametrize("weights", [(0.25, 0.5, 1.0), (1.0, 0.5, 0.0)])
def test_what_does_not_count_may_be_infinite(training, factor, weights) -> None:
    options = {"iterations": 6, "score_interval": 2, "score_weights": weights}
    whole = training(**options).run()
    trained = training(**options)
    passes = []

    def overflow(module, _inputs, output):
        if module.training:
            return output
        passes.append(1)
        return output * factor if len(passes) < 3 or not weights[2] else output

    trained.network.heads[2][0].register_forward_hook(overflow)
    evaluation = checked_evaluation(trained.run())
    assert len(passes) == 3
    assert evaluation.score == whole.score
    assert evaluation.curves["score_loss_stage3"][:2] == (float("inf"),) * 2
    assert evaluation.curves["train_loss"] == whole.curves["train_loss"]
    for curve in ("score_loss_stage1", "score_loss_stage2"):
        assert evaluation.curves[curve] == whole.curves[curve]
    first = evaluation.curves["score_loss"][:2]
    assert first == ((float("inf"),) * 2 if weights[2] else whole.curves["score_loss"][:2])
