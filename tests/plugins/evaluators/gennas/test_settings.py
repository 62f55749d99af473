import subprocess
import sys

import pytest
from nasbench_toolkit.core.capabilities import Images, Network, SequenceNetwork, StagedNetwork
from nasbench_toolkit.core.errors import InvalidSettingError
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.plugins.evaluators.gennas import EVALUATORS
from nasbench_toolkit.plugins.evaluators.gennas.errors import InvalidTaskError
from nasbench_toolkit.plugins.evaluators.gennas.published_tasks import SIGNALS, SINGLE, signal_task
from nasbench_toolkit.plugins.evaluators.gennas.settings import (
    ComboSettings,
    FastSettings,
    SearchNSettings,
    SignalSettings,
    SingleSettings,
    TaskFileSettings,
)
from nasbench_toolkit.plugins.evaluators.gennas.task import Signal, StageTask


def parse(settings_type, **given):
    return parse_settings("gennas-x", settings_type, given)


def test_official_preset_follows_the_code() -> None:
    assert ComboSettings().effective() == {
        "iterations": 100,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 4e-5,
        "train_weights": (0.25, 0.5, 1.0),
        "score_weights": (0.25, 0.5, 1.0),
        "batch_size": 16,
        "frequencies": "grid",
        "network": "gennas",
        "head": "bn-conv",
        "weight_init": "default",
        "bias_init": "default",
        "score_mode": "eval",
        "score_interval": 10,
        "score_passes": 1,
        "readout": "passes",
        "readout_average": 1,
        "precision": "float32",
    }


def test_paper_preset_follows_the_paper() -> None:
    official, paper = ComboSettings().effective(), ComboSettings(preset="paper").effective()
    assert {name: paper[name] for name in paper if paper[name] != official[name]} == {
        "weight_decay": 1e-5,
        "train_weights": (1.0, 1.0, 1.0),
        "frequencies": "uniform",
    }


def test_preset_spelled_out_hashes_like_the_preset() -> None:
    spelled = parse(ComboSettings, weight_decay="1e-5", train_weights="1/1/1", frequencies="uniform")
    assert settings_hash(1, spelled) == settings_hash(1, ComboSettings(preset="paper"))
    assert settings_hash(1, spelled) != settings_hash(1, ComboSettings())


def test_frequencies_do_not_count_where_a_task_lists_its_own() -> None:
    assert SearchNSettings(frequencies="uniform").effective() == SearchNSettings().effective()


def test_task_weights_come_before_the_preset_and_after_the_user() -> None:
    assert SingleSettings(preset="paper").resolve().train_weights == (0, 0, 1)
    assert SingleSettings().resolve().score_weights == (0, 0, 1)
    assert SingleSettings(train_weights=(1.0, 0.0, 1.0)).resolve().train_weights == (1, 0, 1)


@pytest.mark.parametrize(
    ("weights", "stages"),
    [((1, 1, 1), (0, 1, 2)), ((0, 1, 1), (1, 2)), ((0, 0, 1), (2,)), ((1, 0, 0), (0, 2))],
    ids=["all", "no-first", "last", "last-untrained"],
)
def test_stages_with_a_training_weight_and_the_last_take_part(weights, stages) -> None:
    assert ComboSettings(train_weights=weights).resolve().stages == stages


@pytest.mark.parametrize("weights", ["1/1", "0/0/0", "1/1/1/1"])
def test_weights_are_three_and_not_all_zero(weights) -> None:
    with pytest.raises(InvalidSettingError, match=rf"'score_weights' takes 3 weights.*got {weights}"):
        parse(ComboSettings, score_weights=weights)


@pytest.mark.parametrize(
    ("settings", "largest"),
    [
        ({"readout_average": 11}, "10 scoring passes"),
        ({"iterations": 25, "readout_average": 4}, "3 scoring passes"),
        ({"score_passes": 3, "readout_average": 4}, "3 scoring passes"),
        ({"readout": "steps", "readout_average": 101}, "100 training steps"),
    ],
)
def test_mean_of_more_losses_than_there_are_is_refused(settings, largest) -> None:
    with pytest.raises(InvalidSettingError, match=f"there are only {largest}: take at most {largest.split()[0]}"):
        ComboSettings(**settings).resolve()


@pytest.mark.parametrize(
    ("settings", "average"),
    [
        ({}, 10),
        ({"iterations": 4}, 4),
        ({"readout": "passes"}, 7),
        ({"readout_average": 2}, 2),
        ({"readout": "passes", "score_passes": 3}, 3),
    ],
)
def test_fast_reads_ten_losses_or_all(settings, average) -> None:
    assert FastSettings(**settings).resolve().readout_average == average
    assert ComboSettings(**{"readout_average": None} | settings).resolve().readout_average == settings.get(
        "readout_average", 1
    )


def test_fast_is_combo_with_half_the_images_seventy_steps_and_no_scoring_passes() -> None:
    combo, fast = ComboSettings().effective(), FastSettings().effective()
    changed = {name: value for name, value in fast.items() if value != combo[name]}
    assert changed == {"iterations": 70, "batch_size": 8, "readout": "steps", "readout_average": 10, "score_passes": 10}
    assert FastSettings().task_definition() == ComboSettings().task_definition()


def test_weights_on_untrained_stages_only_are_refused() -> None:
    with pytest.raises(InvalidSettingError, match=r"The score would always be 0: score_weights 1/1/0"):
        SingleSettings(score_weights=(1.0, 1.0, 0.0)).effective()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"iterations": "0"}, r"'iterations' must be at least 1, got 0"),
        ({"train_weights": "1/-1/1"}, r"'train_weights' must be at least 0, got -1"),
        ({"head": "mlp"}, r"'head' must be one of bn-conv, conv, got 'mlp'"),
        ({"bias_init": "xavier"}, r"'bias_init' must be one of default, zero"),
        ({"task": "x.json"}, r"has no setting 'task'"),
    ],
    ids=["iterations", "weights", "head", "bias", "task"],
)
def test_settings_out_of_range_are_refused(given, message) -> None:
    with pytest.raises(InvalidSettingError, match=message):
        parse(ComboSettings, **given)


def test_task_file_is_kept_by_content(example_task_file, tmp_path) -> None:
    (tmp_path / "moved.json").write_bytes(example_task_file.read_bytes())
    here = parse(TaskFileSettings, task=str(example_task_file))
    there = parse(TaskFileSettings, task=str(tmp_path / "moved.json"))
    assert settings_hash(1, here) == settings_hash(1, there)
    (tmp_path / "moved.json").unlink()
    assert there.task_definition().name == "example"
    assert there.resolve().batch_size == 8


def test_task_content_is_part_of_the_hash(example_task_file, tmp_path) -> None:
    (tmp_path / "other.json").write_text(example_task_file.read_text().replace('"amp": 1.5', '"amp": 1.6'))
    here = parse(TaskFileSettings, task=str(example_task_file))
    other = parse(TaskFileSettings, task=str(tmp_path / "other.json"))
    assert settings_hash(1, here) != settings_hash(1, other)


def test_missing_task_says_how_to_give_one() -> None:
    with pytest.raises(InvalidSettingError, match=r"needs a task.*--evaluator gennas:task=my-task.json"):
        TaskFileSettings().effective()


def test_text_that_is_no_task_is_refused() -> None:
    with pytest.raises(InvalidTaskError, match=r"is not JSON"):
        TaskFileSettings(task="my-task.json").resolve()
    with pytest.raises(InvalidTaskError, match=r"is not JSON"):
        TaskFileSettings(task="[" * 200_000).resolve()


def test_descriptions_need_no_torch() -> None:
    code = (
        "import sys, nasbench_toolkit.plugins.evaluators.gennas as g; print('torch' in sys.modules, len(g.EVALUATORS))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "13"]


@pytest.mark.parametrize("info", EVALUATORS, ids=lambda info: info.name)
def test_descriptions_are_complete(info) -> None:
    assert info.direction == "minimize"
    recurrent = info.name.startswith("gennas-rnn")
    assert info.needs == ({Network, SequenceNetwork} if recurrent else {Network, Images, StagedNetwork})
    factory = "RecurrentGennas" if recurrent else "Eproxy" if info.name == "eproxy" else "Gennas"
    assert info.load_factory().__name__ == factory


def test_a_signal_has_its_stage_to_itself() -> None:
    settings = parse_settings("gennas-signal", SignalSettings, {"signal": "sin2d-medium", "stage": "2"})
    task, options = settings.task_definition(), settings.resolve()
    assert [stage.signals for stage in task.stages] == [
        (),
        (Signal("sin2d", 1.0, scope="local", freqs="M10"),),
        (),
    ]
    assert options.train_weights == options.score_weights == (0.0, 1.0, 0.0)
    hashes = {settings_hash(1, SignalSettings(signal=signal, stage=stage)) for signal in SIGNALS for stage in (1, 2, 3)}
    assert len(hashes) == 36
    assert signal_task("dot-50", 1).stages[0].signals == (Signal("dot", 1.0, scope="local", density=0.5),)
    assert signal_task("resize", 3).stages[2].signals == (Signal("resize", 1.0),)
    assert signal_task("zero", 3).stages == (StageTask(64, ()),) * 3


def test_the_default_signal_is_the_task_of_gennas_single() -> None:
    assert SignalSettings().task_definition().stages == SINGLE.stages
    assert SignalSettings().resolve() == SingleSettings().resolve()


def test_an_unknown_signal_is_refused_with_the_closest() -> None:
    with pytest.raises(InvalidSettingError, match=r"got 'sin1d-hi'\. .*sin1d-high"):
        SignalSettings(signal="sin1d-hi")
