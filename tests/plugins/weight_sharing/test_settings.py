import pytest
from nasbench_toolkit.core.errors import InvalidSettingError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings


def read(strategy, **given):
    return parse_settings(strategy, installed_plugins().search_strategy(strategy).info.settings, given).effective()


# Epochs, learning rates, decay, batch, clip: section 3 of the scripts' tables.
@pytest.mark.parametrize(
    ("strategy", "preset", "expected"),
    [
        ("rsps", "nb201", (250, 0.025, 0.001, 5e-4, 64, 5.0)),
        ("darts", "nb201", (50, 0.025, 0.001, 5e-4, 64, 5.0)),
        ("gdas", "nb201", (250, 0.025, 0.001, 5e-4, 64, 5.0)),
        ("setn", "nb201", (250, 0.025, 0.001, 5e-4, 64, 0.0)),
        ("enas", "nb201", (250, 0.05, 0.0005, 2.5e-4, 128, 5.0)),
        ("rsps", "nats", (100, 0.025, 0.001, 5e-4, 64, 0.0)),
        ("darts", "nats", (100, 0.025, 0.001, 5e-4, 64, 0.0)),
        ("gdas", "nats", (100, 0.025, 0.001, 5e-4, 64, 0.0)),
        ("setn", "nats", (100, 0.025, 0.001, 5e-4, 64, 0.0)),
        ("enas", "nats", (100, 0.025, 0.001, 5e-4, 64, 0.0)),
    ],
)
def test_presets_are_the_published_runs(strategy, preset, expected) -> None:
    found = read(strategy, preset=preset)
    names = ("epochs", "learning_rate", "final_learning_rate", "weight_decay", "batch_size", "clip")
    assert tuple(found[name] for name in names) == expected
    assert found["batch_norm"] == ("running" if preset == "nb201" else "batch")
    assert found["last_batch_norm"] == ("affine" if preset == "nb201" else "plain")
    assert "preset" not in found


def test_what_else_presets_decide() -> None:
    assert [read("rsps", preset=preset)["sampling"] for preset in ("nb201", "nats")] == ["uniform", "per-cell"]
    assert [read("enas", preset=preset)["baseline"] for preset in ("nb201", "nats")] == ["last", "mean"]
    assert [read("enas", preset=preset)["reward_images"] for preset in ("nb201", "nats")] == ["augmented", "plain"]
    orders = [
        read("darts", order=order, preset=preset)["steps"]
        for order in ("first", "second")
        for preset in ("nb201", "nats")
    ]
    assert orders == ["weights-first", "weights-first", "alpha-first", "weights-first"]
    assert [read("darts", order=order, preset="tiny")["epochs"] for order in ("first", "second")] == [60, 30]
    assert read("gdas", preset="tiny")["alpha_learning_rate"] == 3e-3


def test_further_defaults_are_those_of_the_released_scripts() -> None:
    for strategy in ("darts", "gdas", "setn"):
        found = read(strategy)
        assert (found["alpha_learning_rate"], found["alpha_weight_decay"]) == (3e-4, 1e-3)
    gdas, enas = read("gdas"), read("enas")
    assert (gdas["temperature"], gdas["final_temperature"]) == (10.0, 0.1)
    controller = ("steps", "samples", "learning_rate", "epsilon", "clip")
    assert [enas[f"controller_{name}"] for name in controller] == [50, 20, 1e-3, 1e-3, 5.0]
    assert (enas["entropy_weight"], enas["baseline_decay"], enas["period"]) == (1e-4, 0.99, 10)
    assert [read(strategy)["candidates"] for strategy in ("rsps", "setn", "enas")] == [100, 100, 100]
    # Noise of standard deviation 1 on images divided by 0.2764, seen on those divided by 0.3343.
    assert read("darts", preset="tiny")["noise"] == pytest.approx(0.2764 / 0.3343, abs=5e-4)


def test_what_is_given_wins_over_the_preset() -> None:
    given = {"preset": "nats", "epochs": "7", "clip": "5", "batch_norm": "running", "last_batch_norm": "affine"}
    assert read("gdas", **given) == read("gdas", epochs="7", selection_batch="512")


def test_settings_that_contradict_their_preset_are_refused() -> None:
    with pytest.raises(InvalidSettingError, match="would rise from 0.0005 to 0.001: give 'final_learning_rate'"):
        read("gdas", learning_rate="0.0005")
    with pytest.raises(InvalidSettingError, match="would rise from 0.002 to 0.004"):
        read("rsps", preset="tiny", learning_rate="0.002")
    assert read("gdas", learning_rate="0.0005", final_learning_rate="0.0001")["learning_rate"] == 0.0005
