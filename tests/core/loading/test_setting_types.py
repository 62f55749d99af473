from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest
from nasbench_toolkit import Direction, EvaluatorInfo, SearchStrategyInfo, Settings, setting
from nasbench_toolkit.core.errors import PluginError
from nasbench_toolkit.core.loading.setting_types import TYPES_THAT_WORK
from nasbench_toolkit.core.settings import parse_settings


def make_settings(hint: object, default: object, **metadata: object) -> type[Settings]:
    namespace = {"__annotations__": {"alpha": hint}, "alpha": setting(default, "Alpha.", **metadata)}
    return dataclass(frozen=True)(type("Made", (Settings,), namespace))


def describe(settings: type[Settings]) -> EvaluatorInfo:
    return EvaluatorInfo(
        name="e", summary="E.", source="here", factory=len, direction=Direction.MAXIMIZE, settings=settings
    )


@pytest.mark.parametrize(
    ("hint", "default", "text", "value"),
    [
        (int, 1, "3", 3),
        (float, 1.0, "3", 3.0),
        (str, "", "3", "3"),
        (bool, False, "true", True),
        (Literal["a", "b"], "a", "b", "b"),
        (tuple[int, ...], (1, 2), "3/4", (3, 4)),
        (tuple[float, ...], (0.5,), "3/4", (3.0, 4.0)),
        (tuple[int, ...] | None, None, "1234567", (1234567,)),
        (Literal["a"] | None, None, "a", "a"),
        (int | None, None, "3", 3),
    ],
    ids=str,
)
def test_types_that_work_are_read_as_such(hint, default, text, value) -> None:
    settings = make_settings(hint, default)
    describe(settings)
    read = parse_settings("e", settings, {"alpha": text}).alpha
    assert (read, type(read)) == (value, type(value))
    assert parse_settings("e", settings, {}).alpha == default


@pytest.mark.parametrize(
    ("hint", "default", "metadata", "problem"),
    [
        (list[int], (), {}, f"has the type list[int], which no text can be read as. {TYPES_THAT_WORK}"),
        (tuple[int, int], (3, 4), {}, "has the type tuple[int, int], which no text can be read as."),
        (tuple[str, ...], (), {}, "has the type tuple[str, ...], which no text can be read as."),
        (dict, (), {}, "has the type dict, which no text can be read as."),
        (int | str, 3, {}, "has the type int | str, which no text can be read as."),
        (int | str | None, 3, {}, "has the type int | str | None, which no text can be read as."),
        (Literal[1, 2], 1, {}, "has the type Literal[1, 2], which no text can be read as."),
        (int, "oops", {"minimum": 0}, "has the type int and the default 'oops', which is none: correct one of them."),
        (int, True, {}, "has the type int and the default True, which is none"),
        (int, None, {}, "has the type int and the default None, which is none: give another, or write the type as int"),
        (float, 1, {}, "has the type float and the default 1, which is none: write 1.0, so that it hashes like"),
        (Literal["a", "b"], "c", {}, "has the type Literal['a', 'b'] and the default 'c', which is none"),
        (tuple[int, ...], (1.5,), {}, "has the type tuple[int, ...] and the default (1.5,), which is none"),
        (int, 0, {"minimum": 1}, "has the default 0, below its minimum of 1."),
        (tuple[float, ...], (0.5, 2.0), {"maximum": 1}, "has the default (0.5, 2.0), above its maximum of 1."),
        (int, 3, {"minimum": 5, "maximum": 2}, "has a minimum of 5 above its maximum of 2."),
        (str, "", {"minimum": 1}, "has a minimum, and the type str: only numbers have limits."),
        (int, 3, {"minimun": 1}, "has the unknown metadata 'minimun'. Did you mean 'minimum'"),
    ],
)
def test_what_does_not_work_names_the_setting_and_the_remedy(hint, default, metadata, problem) -> None:
    with pytest.raises(PluginError) as caught:
        describe(make_settings(hint, default, **metadata))
    assert str(caught.value).startswith(f"The settings of the evaluator 'e' cannot be used: 'alpha' {problem}")


class Undecorated(Settings):
    alpha: float = setting(1.0, "Alpha.")


@dataclass
class NotDerived:
    alpha: float = 1.0


@dataclass(frozen=True)
class Unresolved(Settings):
    alpha: "Nowhere" = setting(1.0, "Alpha.")  # noqa: F821, RUF009


@dataclass(frozen=True)
class Required(Settings):
    alpha: float


@dataclass(frozen=True)
class Factory(Settings):
    alpha: float = field(default_factory=float)


@dataclass(frozen=True)
class TwoSuffixes(Settings):
    alpha: int = setting(1, "Alpha.", name_suffix="@a")
    beta: int = setting(1, "Beta.", name_suffix="@b")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (Undecorated, "are the class Undecorated, which is no dataclass: mark it with @dataclass(frozen=True)."),
        (NotDerived, "derive a frozen dataclass from Settings."),
        (Unresolved, "are the class Unresolved, whose types cannot be read (NameError: name 'Nowhere' is not defined)"),
        (Required, "'alpha' has no default: declare it with setting(default, help)."),
        (Factory, "'alpha' has no default: declare it with setting(default, help)."),
        (TwoSuffixes, "'alpha' and 'beta' both have a name_suffix, and only one can."),
    ],
)
def test_classes_that_do_not_work(settings, problem) -> None:
    with pytest.raises(PluginError) as caught:
        describe(settings)
    assert problem in str(caught.value)


class Inherited(make_settings(int, 1)):
    published: ClassVar[str] = "a constant of the class"


def test_class_that_only_inherits_settings_works() -> None:
    assert describe(Inherited).settings is Inherited


def test_settings_of_strategies_are_checked_as_well() -> None:
    with pytest.raises(PluginError, match="settings of the search strategy 's' cannot be used: 'alpha' has the type"):
        SearchStrategyInfo(name="s", summary="S.", source="here", factory=len, settings=make_settings(list[int], ()))
