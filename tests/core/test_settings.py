from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
from nasbench_toolkit.core.descriptions import EvaluatorInfo, ExecutorInfo, SearchStrategyInfo
from nasbench_toolkit.core.domain import Direction
from nasbench_toolkit.core.errors import InvalidSettingError, PluginError
from nasbench_toolkit.core.settings import Settings, describe_settings, parse_settings, setting, settings_hash


@dataclass(frozen=True)
class Example(Settings):
    iterations: int = setting(100, "Steps.", minimum=1)
    preset: Literal["official", "paper"] = setting("official", "Preset.")
    decay: float | None = setting(None, "Decay.", minimum=0, maximum=1)
    weights: tuple[float, ...] = setting((0.25, 1.0), "Weights.", minimum=0)
    flag: bool = setting(False, "Flag.")
    task: str = setting("", "A task.", reader=lambda text: text.upper())


def test_parse_settings_every_type() -> None:
    given = {
        "iterations": "5",
        "preset": "paper",
        "decay": "0.5",
        "weights": "1/2/3",
        "flag": "true",
        "task": "abc",
    }
    assert parse_settings("e", Example, given) == Example(5, "paper", 0.5, (1.0, 2.0, 3.0), True, "ABC")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("iteration", "5", "'e' has no setting 'iteration'. Did you mean 'iterations'"),
        ("iterations", "5.5", "must be a whole number, got '5.5'"),
        ("iterations", "1_0", "must be a whole number, got '1_0'"),
        ("iterations", "0", "must be at least 1, got 0"),
        ("preset", "offical", "must be one of official, paper, got 'offical'"),
        ("decay", "2", "must be at most 1, got 2.0"),
        ("decay", "nan", "must be finite"),
        ("decay", "0_1", "must be a number, got '0_1'"),
        ("weights", "1/x", "must be a number, got 'x'"),
        ("weights", "1/-1", "must be at least 0"),
        ("flag", "yes", "must be true or false, got 'yes'"),
    ],
)
def test_parse_settings_refuses(name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidSettingError, match=message.replace("(", r"\(")):
        parse_settings("e", Example, {name: text})


@dataclass(frozen=True)
class Limited(Settings):
    low: int = setting(1, "Lowest.")
    high: int = setting(9, "Highest.")
    file: str = setting("", "A file.", reader=lambda name: Path(name).read_text())

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"low": "10"}, "^'e' setting 'low': low is above high.$"),
        ({"low": "5", "high": "4"}, "^'e' settings 'low', 'high': low is above high.$"),
        ({"file": "nowhere"}, "^'e' setting 'file': 'nowhere': No such file or directory.$"),
    ],
)
def test_parse_settings_refused_by_their_class_in_the_way_of_python(given: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSettingError, match=message):
        parse_settings("e", Limited, given)


@dataclass(frozen=True)
class Faulty(Settings):
    alpha: int = setting(1, "A number.", reader=lambda text: text)

    @classmethod
    def preset_values(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        return {} if given else {"beta": 1}

    def effective(self) -> dict[str, object]:
        return {"alpha": object()}


FIELDS = {"name": "e", "summary": "For a test.", "source": "the tests", "factory": len, "settings": Faulty}
CONFIGURABLE = [
    EvaluatorInfo(**FIELDS, direction=Direction.MAXIMIZE),
    SearchStrategyInfo(**FIELDS),
    ExecutorInfo(**FIELDS),
]


@pytest.mark.parametrize("info", CONFIGURABLE, ids=lambda info: info.kind)
def test_settings_class_at_fault_is_named_with_its_plugin(info) -> None:
    info = replace(info, provider="plugin 'p' of package 1.0")
    named = rf"^The {info.kind} 'e' \(plugin 'p' of package 1.0\) "
    with pytest.raises(PluginError, match=f"{named}failed in reading its settings with TypeError: the reader of 'al"):
        info.parse_settings({"alpha": "q"})
    with pytest.raises(PluginError, match=f"{named}failed in reading its settings with TypeError: .* 'beta'"):
        info.parse_settings({})
    with pytest.raises(PluginError, match=f"{named}failed in changing its settings with TypeError: .* 'beta'"):
        info.change_settings(Faulty(), {"beta": 2})
    with pytest.raises(PluginError, match=f"{named}returned from 'effective' of its settings dict"):
        info.effective_settings(Faulty())


def test_parse_settings_of_something_without_any() -> None:
    with pytest.raises(InvalidSettingError, match="'e' has no setting 'x'. It has no settings"):
        parse_settings("e", Settings, {"x": "1"})


def test_settings_hash_depends_on_values_and_version_only() -> None:
    assert settings_hash(1, Example()) == settings_hash(1, Example(iterations=100))
    assert settings_hash(1, Example()) != settings_hash(1, Example(iterations=99))
    assert settings_hash(1, Example()) != settings_hash(2, Example())


def test_settings_hash_is_stable_between_releases() -> None:
    # Results files hold this hash: a change of it makes them impossible to resume.
    assert settings_hash(1, Settings()) == "ede0de8074924080"


def test_describe_settings_as_users_type_them() -> None:
    described = {row["name"]: (row["type"], row["default"]) for row in describe_settings(Example)}
    assert described["preset"] == ("official|paper", "official")
    assert described["decay"] == ("number, optional", "")
    assert described["weights"] == ("numbers a/b/c", "0.25/1")
    assert described["flag"] == ("true|false", "false")
