from dataclasses import dataclass

import pytest
from nasbench_toolkit.core.descriptions import ExecutorInfo
from nasbench_toolkit.core.errors import PluginError, UsageError
from nasbench_toolkit.core.jobs.choice import choose_executor
from nasbench_toolkit.core.jobs.devices import usable_cores
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import Settings, setting


@pytest.mark.parametrize(
    ("executor", "workers", "number"),
    [
        ("local", 3, 3),
        ("local", None, usable_cores()),
        # What a file that is continued says of its own workers is not for these.
        ("ray:workers=5", 3, 5),
        ("ray", 3, usable_cores()),
        ("submitit", None, 16),
    ],
)
def test_a_setting_counts_workers_in_place_of_the_option(executor: str, workers: int | None, number: int) -> None:
    chosen = choose_executor(executor, installed_plugins())
    assert chosen.devices("cpu", workers) == ("cpu",) * number


@pytest.mark.parametrize(("executor", "stated"), [("local", 3), ("ray:workers=5", 5), ("ray", None)])
def test_workers_are_stated_in_one_place(executor: str, stated: int | None) -> None:
    assert choose_executor(executor, installed_plugins()).stated_workers(3) == stated


def test_the_option_is_refused_where_it_would_do_nothing() -> None:
    choose_executor("local", installed_plugins()).refuse_workers(3)
    with pytest.raises(UsageError, match="a setting of its own does: --executor ray:workers=3"):
        choose_executor("ray:address=local", installed_plugins()).refuse_workers(3)


@dataclass(frozen=True)
class Named(Settings):
    workers: str = setting("", "Names of workers.")


def test_a_setting_that_counts_nothing_is_refused() -> None:
    with pytest.raises(PluginError, match="setting 'workers' of the executor 'cloud' is no whole number"):
        ExecutorInfo(name="cloud", summary="Runs jobs.", source="the tests", factory=object, settings=Named)
