import json
from collections import Counter

import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.evaluators.gennas.task import BASES
from nasbench_toolkit.plugins.evaluators.gennas.task_parser import parse_task
from nasbench_toolkit.plugins.evaluators.gennas.task_space import AMPLITUDES, CHANNELS, NOISE_LEVELS, GennasTasks


@pytest.fixture(scope="module")
def sampled():
    texts = GennasTasks().sample(400, np.random.default_rng(0))
    return [parse_task(json.loads(text)) for text in texts]


def signals(task):
    """Return the signal of each pair of stage and basis, None where there is none."""
    return {
        (number, basis): next((signal for signal in stage.signals if signal.basis == basis), None)
        for number, stage in enumerate(task.stages)
        for basis in BASES
    }


def share(values):
    values = list(values)
    return sum(values) / len(values)


def test_sampled_tasks_are_canonical_and_within_the_published_ranges(sampled) -> None:
    for text in GennasTasks().sample(20, np.random.default_rng(1)):
        assert GennasTasks().canonicalize(text) == text
    assert {task.batch for task in sampled} == {16}
    assert {task.noise.level for task in sampled} == set(NOISE_LEVELS)
    assert {task.noise.kind for task in sampled} == {"gaussian", "uniform"}
    assert {stage.channels for task in sampled for stage in task.stages} == set(CHANNELS) == {16, 32, 48, 64, 80, 96}
    present = [signal for task in sampled for signal in signals(task).values() if signal]
    assert {signal.amp for signal in present} == set(AMPLITUDES)
    assert (min(AMPLITUDES), max(AMPLITUDES)) == (0.5, 2.9)
    assert all(min(signal.freqs) > 0 and max(signal.freqs) <= 0.5 for signal in present if signal.freqs)
    assert all(len(set(signal.freqs)) == 10 for signal in present if signal.freqs)
    assert all(1 / 64 <= signal.density <= 1 for signal in present if signal.density)


def test_half_of_all_bases_are_present_and_half_of_all_signals_local(sampled) -> None:
    # 400 tasks x 15 pairs: the standard deviation of the shares is below .01.
    assert share(signal is not None for task in sampled for signal in signals(task).values()) == pytest.approx(
        0.5, abs=0.03
    )
    scopes = Counter(signal.scope for task in sampled for signal in signals(task).values() if signal)
    assert scopes["local"] / (scopes["local"] + scopes["global"]) == pytest.approx(0.5, abs=0.04)


def test_frequencies_are_uniform_between_two_uniform_ends_and_densities_uniform(sampled) -> None:
    present = [signal for task in sampled for signal in signals(task).values() if signal]
    ends = np.array([(min(signal.freqs), max(signal.freqs)) for signal in present if signal.freqs])
    # The ends are .5 / 3 and 1 / 3 on average, a sixth apart, and the extremes of ten values an eleventh of that within
    # them. There are about 1,200 signals of either kind, so standard deviations are below .01.
    assert ends.mean(axis=0) == pytest.approx([1 / 6 + 1 / 66, 1 / 3 - 1 / 66], abs=0.02)
    assert (ends[:, 1] - ends[:, 0]).mean() == pytest.approx(1 / 6 * 9 / 11, abs=0.02)
    assert np.mean([signal.density for signal in present if signal.density]) == pytest.approx(65 / 128, abs=0.04)


def test_a_mutation_draws_a_fifth_of_all_blocks_again(sampled) -> None:
    space, rng = GennasTasks(), np.random.default_rng(2)
    parent_text = space.sample(1, rng)[0]
    parent = parse_task(json.loads(parent_text))
    children = [parse_task(json.loads(space.mutate(parent_text, rng))) for _ in range(600)]
    before = signals(parent)
    for key, signal in before.items():
        kept = share(signals(child)[key] == signal for child in children)
        # A present one drawn again differs for sure; an absent one is absent again half of the time: .8 + .2 / 2.
        assert kept == pytest.approx(0.8 if signal else 0.9, abs=0.06)
        absent = share(signals(child)[key] is None for child in children)
        assert absent == pytest.approx(0.1 if signal else 0.9, abs=0.05)
    # Drawn again, the noise is the same once in twenty, and channels once in six times.
    assert share(child.noise == parent.noise for child in children) == pytest.approx(0.8 + 0.2 / 20, abs=0.06)
    for number, stage in enumerate(parent.stages):
        kept = share(child.stages[number].channels == stage.channels for child in children)
        assert kept == pytest.approx(0.8 + 0.2 / 6, abs=0.06)
    assert all(child.batch == parent.batch for child in children)


def test_blocks_are_drawn_again_independently_of_each_other(sampled) -> None:
    space, rng = GennasTasks(), np.random.default_rng(3)
    text = space.sample(1, rng)[0]
    before = signals(parse_task(json.loads(text)))
    present = [key for key, signal in before.items() if signal]
    changed = [
        sum(signals(child)[key] != before[key] for key in present)
        for child in (parse_task(json.loads(space.mutate(text, rng))) for _ in range(400))
    ]
    # Binomial: mean n / 5 and variance n * 4 / 25.
    assert np.mean(changed) == pytest.approx(len(present) / 5, rel=0.2)
    assert np.var(changed) == pytest.approx(len(present) * 0.16, rel=0.35)


def test_name_layout_and_order_of_signals_do_not_tell_tasks_apart() -> None:
    space = GennasTasks()
    text = space.sample(1, np.random.default_rng(4))[0]
    task = json.loads(text)
    task["name"] = "another"
    for stage in task["stages"]:
        stage["signals"].reverse()
    assert space.canonicalize(json.dumps(task, indent=3)) == text


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"name": "x"}', "[" * 100_000])
def test_what_is_no_task_is_refused(text) -> None:
    with pytest.raises(InvalidArchitectureError):
        GennasTasks().canonicalize(text)


def test_the_same_generator_gives_the_same_tasks() -> None:
    space = GennasTasks()
    first = space.sample(3, np.random.default_rng(5))
    assert space.sample(3, np.random.default_rng(5)) == first
    assert space.mutate(first[0], np.random.default_rng(6)) == space.mutate(first[0], np.random.default_rng(6))
    assert "noise" in space.describe(first[0])
