"""GenNAS for recurrent networks: signals, training and tasks, each against its definition."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.errors import DivergedError, InvalidArchitectureError, InvalidSettingError
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.plugins.evaluators.gennas import published_tasks, signals
from nasbench_toolkit.plugins.evaluators.gennas.errors import InvalidTaskError
from nasbench_toolkit.plugins.evaluators.gennas.recurrent import (
    SequenceRegressionNetwork,
    SequenceTraining,
    draw_sequences,
)
from nasbench_toolkit.plugins.evaluators.gennas.recurrent_settings import (
    RecurrentComboSettings,
    RecurrentSearchSettings,
    RecurrentTaskFileSettings,
)
from nasbench_toolkit.plugins.evaluators.gennas.task import SEQUENCE_BASES, Noise, RecurrentTask, Signal, task_to_json
from nasbench_toolkit.plugins.evaluators.gennas.task_parser import parse_recurrent_task
from nasbench_toolkit.plugins.evaluators.gennas.task_space import AMPLITUDES, CHANNELS, RecurrentGennasTasks
from scipy import ndimage
from torch import nn

EXAMPLE = Path(__file__).parent / "example_recurrent_task.json"
NO_NOISE = Noise("gaussian", 0.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def task_of(*target: Signal, dim: int = 12, length: int = 5, batch: int = 3) -> RecurrentTask:
    return RecurrentTask("test", batch, NO_NOISE, dim, length, (), target)


class Recurrent(nn.Module):
    """A network of sequences: one matrix, dropout and a state."""

    width = 6

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.cell = nn.GRU(6, 6)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs):
        return self.dropout(self.cell(inputs)[0])


@pytest.mark.parametrize("basis", ["sin1d", "sin2d"])
@pytest.mark.parametrize(("dim", "length"), [(12, 5), (4, 9)])
def test_sines_are_the_corner_of_a_square(basis, dim, length) -> None:
    frequencies = (0.13, 0.2, 0.21, 0.24, 0.3, 0.31, 0.33, 0.37, 0.38, 0.4)
    task = task_of(Signal(basis, 1.5, "local", freqs=frequencies), dim=dim, length=length)
    sequences = signals.signal_sequences(task.target, task, generator(3))
    assert sequences.shape == (length, 3, dim)
    draw = getattr(signals, basis)
    squares = draw(torch.tensor(frequencies, dtype=torch.float64), (3, 1), generator(3), max(dim, length))
    for sample in range(3):
        for step in range(length):
            for feature in range(dim):
                expected = 1.5 * squares[sample, 0, step, feature]
                assert sequences[step, sample, feature] == pytest.approx(float(expected), rel=1e-6, abs=1e-6)


def test_a_sine_sequence_oscillates_along_time_or_features() -> None:
    """Of its definition: g(2 pi f t + p) with time t or feature t counted from 1."""
    frequency = 0.21
    task = task_of(Signal("sin1d", 1.0, "local", freqs=(frequency,) * 10), batch=200)
    maps = signals.signal_sequences(task.target, task, generator(4)).permute(1, 0, 2).double().numpy()
    along_features = np.ptp(maps, axis=1).max(axis=1) < 1e-6
    along_time = np.ptp(maps, axis=2).max(axis=1) < 1e-6
    assert (along_features ^ along_time).all()
    assert 0.35 < along_time.mean() < 0.65
    waves = [row[:, 0] for row in maps[along_time]] + [row[0] for row in maps[along_features]]
    for wave in waves:
        np.testing.assert_allclose(wave[:-2] + wave[2:], 2 * math.cos(2 * math.pi * frequency) * wave[1:-1], atol=1e-5)


def test_dots_are_drawn_on_the_map_itself() -> None:
    task = task_of(Signal("dot", 2.0, "local", density=0.4), batch=50)
    maps = signals.signal_sequences(task.target, task, generator())
    assert set(maps.unique().tolist()) == {-2.0, 0.0, 2.0}
    assert ((maps != 0).sum(dim=(0, 2)) == 24).all()  # floor(.4 x 60)


def test_blurred_dots_equal_scipys_filter() -> None:
    task = task_of(Signal("gdot", 1.0, "local", density=0.3))
    dots = signals.dot(0.3, (3, 1), generator(7), 5, 12)[:, 0].numpy()
    expected = np.stack([ndimage.gaussian_filter(values, sigma=1) for values in dots])
    expected /= np.abs(expected).max(axis=(1, 2), keepdims=True)
    maps = signals.signal_sequences(task.target, task, generator(7)).permute(1, 0, 2)
    np.testing.assert_allclose(maps, expected, atol=1e-6)


@pytest.mark.parametrize(("dim", "length"), [(7, 7), (1, 1), (16, 8), (3, 11)])
def test_the_smallest_density_leaves_one_dot(dim, length) -> None:
    task = parse_recurrent_task(
        task_to_json(task_of(Signal("gdot", 1.0, "local", density=1 / (dim * length)), dim=dim, length=length))
    )
    maps = signals.signal_sequences(task.target, task, generator())
    assert bool(torch.isfinite(maps).all())
    assert float(maps.abs().max()) == 1.0


def test_sequences_differ_between_samples_and_inputs_from_targets() -> None:
    inputs, targets = draw_sequences(published_tasks.RECURRENT_SINGLE, generator())
    assert inputs.shape == targets.shape == (8, 16, 64)
    assert not torch.equal(inputs, targets)
    assert len({tuple(sample.flatten().tolist()) for sample in inputs.transpose(0, 1)}) == 16


def test_published_tasks_are_the_authors() -> None:
    single, combo, searched = (
        published_tasks.RECURRENT_SINGLE,
        published_tasks.RECURRENT_COMBO,
        published_tasks.RECURRENT_SEARCH,
    )
    assert [task.batch for task in (single, combo, searched)] == [16, 16, 16]
    assert [task.dim for task in (single, combo, searched)] == [64, 64, 48]
    assert {task.length for task in (single, combo, searched)} == {8}
    assert [signal.basis for signal in searched.target] == ["sin2d", "gdot"]
    assert (searched.noise.kind, searched.noise.level) == ("uniform", 0.6)
    assert single.input == single.target == (Signal("dot", 1.0, "local", density=1.0),)
    assert combo.input == combo.target
    assert [signal.freqs for signal in combo.input] == ["M10", "M10"]


def make_training(noise: Noise = NO_NOISE, dropout: float = 0.0, **changes: object) -> SequenceTraining:
    torch.manual_seed(0)
    settings = RecurrentComboSettings(iterations=7, score_interval=3, score_passes=3)
    options = dataclasses.replace(settings.resolve(), **changes)
    network = SequenceRegressionNetwork(Recurrent(dropout), dim=4)
    inputs, targets = torch.randn(5, 3, 4, generator=generator(1)), torch.randn(5, 3, 4, generator=generator(2))
    return SequenceTraining(network, inputs, targets, noise, options, generator(3))


@pytest.mark.parametrize("noise", [NO_NOISE, Noise("uniform", 0.3), Noise("gaussian", 0.2)])
def test_training_equals_a_loop_by_hand(noise) -> None:
    """Adam written out, with decay of all parameters, noise drawn anew for every pass, eval mode for scores."""
    evaluation = make_training(noise, learning_rate=0.01, weight_decay=0.1).run()
    reference = make_training(noise)
    network, source = reference.network, generator(3)

    def noisy() -> torch.Tensor:
        if noise.level == 0:
            return reference.inputs
        shape = reference.inputs.shape
        if noise.kind == "uniform":
            return reference.inputs + (2 * torch.rand(shape, generator=source) - 1) * noise.level
        return reference.inputs + torch.randn(shape, generator=source) * noise.level

    parameters = list(network.parameters())
    first = [torch.zeros_like(parameter) for parameter in parameters]
    second = [torch.zeros_like(parameter) for parameter in parameters]
    losses, scores = [], []
    for step in range(1, 8):
        loss = ((network(noisy()) - reference.targets) ** 2).mean()
        losses.append(float(loss.detach()))
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for index, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
                gradient = gradient + 0.1 * parameter
                first[index] = 0.9 * first[index] + 0.1 * gradient
                second[index] = 0.999 * second[index] + 0.001 * gradient**2
                scale = (second[index] / (1 - 0.999**step)).sqrt() + 1e-8
                parameter -= 0.01 * first[index] / (1 - 0.9**step) / scale
            if step in (3, 6, 7):
                scores.append(float(((network(noisy()) - reference.targets) ** 2).mean()))
    assert evaluation.curves["train_loss"] == pytest.approx(losses, rel=1e-4)
    assert evaluation.curves["score_loss"] == pytest.approx(scores, rel=1e-4)
    assert evaluation.score == evaluation.curves["score_loss"][-1]


@pytest.mark.parametrize("noise", [NO_NOISE, Noise("uniform", 0.3)])
def test_scoring_passes_that_are_left_out_change_nothing(noise) -> None:
    every, last = make_training(noise).run(), make_training(noise, score_passes=1).run()
    assert (last.score, last.curves["train_loss"]) == (every.score, every.curves["train_loss"])
    assert (len(every.curves["score_loss"]), last.curves["score_loss"]) == (3, (every.score,))


def test_scoring_passes_that_do_not_count_may_be_infinite() -> None:
    whole, training = make_training().run(), make_training()
    passes = iter((float("nan"), 1e300, 1.0))
    training.score_pass = lambda score_pass=training.score_pass: tuple(next(passes) * loss for loss in score_pass())
    evaluation = training.run()
    assert evaluation.score == whole.score
    assert evaluation.curves["score_loss"][0] == float("inf")


def test_dropouts_are_on_in_training_and_off_in_scoring() -> None:
    training = make_training(dropout=0.5, learning_rate=0.0)
    losses = [float(training.train_step()) for _ in range(5)]
    assert len(set(losses)) == 5
    # Two passes with dropout would agree as well: both begin with the same random numbers.
    (loss,) = training.score_pass()
    with torch.no_grad():
        outputs = training.network.eval()(training.inputs)
    assert loss == pytest.approx(float(((outputs - training.targets) ** 2).mean()), rel=1e-6)


def test_a_loss_that_is_not_finite_is_diverged() -> None:
    with pytest.raises(DivergedError, match="became nan at iteration"):
        make_training(learning_rate=math.inf).run()


def test_linear_maps_begin_as_the_authors_have_it() -> None:
    torch.manual_seed(0)
    network = SequenceRegressionNetwork(Recurrent(), dim=500)
    for linear in (network.encoder, network.decoder):
        assert float(linear.weight.detach().abs().max()) == pytest.approx(0.1, rel=0.02)
        assert float(linear.weight.detach().std()) == pytest.approx(0.1 / 3**0.5, rel=0.05)
    assert not network.decoder.bias.any()
    assert network.encoder.bias.any()


def score(evaluator: str, arch_id: str | None = None, seed: int = 0, **given: object):
    plugins = installed_plugins()
    info, space = plugins.evaluator(evaluator).info, plugins.search_space("nasbench-nlp").info.create()
    settings = parse_settings(evaluator, info.settings, {name: str(value) for name, value in given.items()})
    dataset = plugins.dataset("none").info
    key = JobKey(
        "nasbench-nlp", "none", arch_id or space.example(), evaluator, settings_hash(info.version, settings), seed
    )
    return JobRunner(space, dataset, dataset.create(), torch.device("cpu")).run(key, info.create(settings))


QUICK = {"iterations": 2, "batch_size": 2}


def test_networks_of_the_benchmark_are_scored() -> None:
    first = score("gennas-rnn-single", **QUICK)
    assert first.message == ""
    assert first.score == score("gennas-rnn-single", **QUICK).score
    assert len(first.curves["train_loss"]) == 2
    others = [
        score("gennas-rnn-single", seed=1, **QUICK),
        score("gennas-rnn-single", **QUICK | {"iterations": 3}),
        score("gennas-rnn-single", network="all-trained", **QUICK),
        score("gennas-rnn-search", **QUICK),
    ]
    assert len({first.score, *(record.score for record in others)}) == 5


def test_untrained_networks_leave_about_the_variance_of_the_target() -> None:
    """Outputs begin near zero, and dense dots have square 1."""
    assert score("gennas-rnn-single", learning_rate=0, **QUICK).score == pytest.approx(1.0, abs=0.3)


def test_a_task_of_the_user_is_used_and_kept_by_content(tmp_path) -> None:
    record = score("gennas-rnn", task=EXAMPLE, **QUICK)
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps(dict(reversed(json.loads(EXAMPLE.read_text()).items()))))
    assert record.status == "ok"
    assert score("gennas-rnn", task=moved, **QUICK).score == record.score
    assert parse_settings("gennas-rnn", RecurrentTaskFileSettings, {"task": str(EXAMPLE)}).resolve().batch_size == 4


def test_settings_say_what_counts() -> None:
    assert RecurrentSearchSettings().resolve() == RecurrentSearchSettings(frequencies="uniform").resolve()
    assert RecurrentComboSettings().resolve() != RecurrentComboSettings(frequencies="uniform").resolve()
    with pytest.raises(InvalidSettingError, match=r"needs a task.*--evaluator gennas-rnn:task=my-task.json"):
        RecurrentTaskFileSettings().effective()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dim": 0}, "dim must be a whole number from 1 to 1024, got 0"),
        ({"length": 513}, "length must be a whole number from 1 to 512"),
        (
            {"input": [{"basis": "resize", "amp": 1}]},
            'input\\[0\\].basis must be one of sin1d, sin2d, dot, gdot, got "r',
        ),
        (
            {"target": [{"basis": "dot", "amp": 1, "scope": "global", "density": 1}]},
            "target\\[0\\].scope must be one of local",
        ),
        (
            {"target": [{"basis": "dot", "amp": 1, "scope": "local", "density": 0.016}]},
            "target\\[0\\].density must be a number, at least 0.0166667",
        ),
        (
            {"target": [{"basis": "dot", "amp": 1, "scope": "local", "density": 1}] * 2},
            "target\\[1\\].basis is a second 'dot'",
        ),
        ({"stages": []}, 'task has an unknown field "stages"'),
        ({"noise": {"kind": "pink", "level": 0}}, "noise.kind must be one of gaussian, uniform"),
    ],
)
def test_what_is_no_recurrent_task_is_refused(changes, message) -> None:
    with pytest.raises(InvalidTaskError, match=message):
        parse_recurrent_task(json.loads(EXAMPLE.read_text()) | changes)


@pytest.mark.parametrize("name", ["input", "target", "dim", "length", "noise", "batch", "name"])
def test_a_missing_field_is_named(name) -> None:
    fields = json.loads(EXAMPLE.read_text())
    del fields[name]
    with pytest.raises(InvalidTaskError, match=f"lacks the field '{name}'"):
        parse_recurrent_task(fields)


def sides(task: RecurrentTask) -> dict[tuple[str, str], Signal | None]:
    return {
        (side, basis): next((signal for signal in getattr(task, side) if signal.basis == basis), None)
        for side in ("input", "target")
        for basis in SEQUENCE_BASES
    }


def share(values) -> float:
    return float(np.mean(list(values)))


def test_searched_tasks_are_drawn_as_published() -> None:
    space = RecurrentGennasTasks()
    texts = space.sample(300, np.random.default_rng(0))
    assert [space.canonicalize(text) for text in texts[:20]] == texts[:20]
    tasks = [parse_recurrent_task(json.loads(text)) for text in texts]
    assert {task.dim for task in tasks} == set(CHANNELS)
    assert {task.length for task in tasks} == {8}
    assert {task.batch for task in tasks} == {16}
    present = [signal for task in tasks for signal in sides(task).values() if signal]
    # 300 tasks x 8 pairs: the standard deviation of the share is .01.
    assert len(present) / (300 * 8) == pytest.approx(0.5, abs=0.04)
    assert {signal.scope for signal in present} == {"local"}
    assert {signal.amp for signal in present} == set(AMPLITUDES)
    assert min(signal.density for signal in present if signal.density) < 0.05


def test_a_mutation_draws_a_fifth_of_the_blocks_again() -> None:
    space, rng = RecurrentGennasTasks(), np.random.default_rng(1)
    text = space.sample(1, rng)[0]
    parent = parse_recurrent_task(json.loads(text))
    children = [parse_recurrent_task(json.loads(space.mutate(text, rng))) for _ in range(600)]
    for key, signal in sides(parent).items():
        kept = share(sides(child)[key] == signal for child in children)
        assert kept == pytest.approx(0.8 if signal else 0.9, abs=0.06)
    assert share(child.noise == parent.noise for child in children) == pytest.approx(0.8 + 0.2 / 20, abs=0.06)
    assert share(child.dim == parent.dim for child in children) == pytest.approx(0.8 + 0.2 / 6, abs=0.06)


def test_tasks_are_described_in_a_few_words() -> None:
    assert RecurrentGennasTasks().describe(EXAMPLE.read_text()) == "gaussian noise 0.1; 12: sin1d -> gdot+sin2d"
    with pytest.raises(InvalidArchitectureError, match="not valid: task lacks the field"):
        RecurrentGennasTasks().describe("{}")
