import re
import types

import pytest
from nasbench_toolkit import EvaluatorInfo, hookimpl
from nasbench_toolkit.core.errors import PluginError, UnknownNameError
from nasbench_toolkit.core.plugin_manager import PluginManager, PluginWarning


def make_plugin(**functions: object) -> types.ModuleType:
    plugin = types.ModuleType("plugin")
    vars(plugin).update(functions)
    return plugin


def evaluator(name: str) -> EvaluatorInfo:
    return EvaluatorInfo(name=name, summary="For a test.", source="the tests", factory="nowhere:Nothing")


def provider(*infos: object) -> types.ModuleType:
    return make_plugin(nasbench_evaluators=hookimpl(lambda: list(infos)))


def load_broken() -> object:
    raise ImportError("No module named 'tensorflow'")


def misspelt_hook() -> types.ModuleType:
    return make_plugin(nasbench_evaluatrs=hookimpl(lambda: []))


def unmarked_hook() -> types.ModuleType:
    return make_plugin(nasbench_evaluators=lambda: [])


def raising_hook() -> types.ModuleType:
    def fail() -> list[EvaluatorInfo]:
        raise RuntimeError("out of order")

    return make_plugin(nasbench_evaluators=hookimpl(fail))


def bad_name_hook() -> types.ModuleType:
    return make_plugin(nasbench_evaluators=hookimpl(lambda: [evaluator("Not A Name")]))


@pytest.mark.parametrize(
    ("load", "cause"),
    [
        (load_broken, "ImportError: No module named 'tensorflow'"),
        (
            misspelt_hook,
            "it implements the unknown hook 'nasbench_evaluatrs'. Did you mean 'nasbench_evaluators'",
        ),
        (unmarked_hook, "its function 'nasbench_evaluators' is not marked with @hookimpl"),
        (raising_hook, "RuntimeError: out of order"),
        (lambda: provider("synflow"), "its hook 'nasbench_evaluators' yielded str, expected EvaluatorInfo"),
        (bad_name_hook, "Bad evaluator name 'Not A Name'"),
    ],
)
def test_register_broken_plugin_is_one_warning_and_the_rest_goes_on(load, cause: str) -> None:
    manager = PluginManager()
    manager.register("good", "good-package 1.0", lambda: provider(evaluator("good")))
    expected = re.escape(f"Plugin 'broken' of bad-package 2.0 was left out: {cause}")
    with pytest.warns(PluginWarning, match=expected) as caught:
        manager.register("broken", "bad-package 2.0", load)
    manager.register("later", "late-package 1.0", lambda: provider(evaluator("later")))
    assert len(caught) == 1
    assert list(manager.evaluators()) == ["good", "later"]
    assert [record.problem is None for record in manager.records] == [True, False, True]


def test_register_same_name_twice_names_both_distributions() -> None:
    manager = PluginManager()
    manager.register("one", "first-package 1.0", lambda: provider(evaluator("mine")))
    manager.register("two", "second-package 2.0", lambda: provider(evaluator("mine")))
    with pytest.raises(PluginError, match="'mine': first-package 1.0 and second-package 2.0"):
        manager.evaluators()


def test_evaluator_unknown_name_gives_closest_match() -> None:
    manager = PluginManager()
    manager.register("p", "package 1.0", lambda: provider(evaluator("synflow"), evaluator("naswot")))
    with pytest.raises(UnknownNameError, match="Unknown evaluator 'synflw'. Did you mean 'synflow'"):
        manager.evaluator("synflw")


def test_evaluator_unknown_name_without_a_match_lists_all() -> None:
    manager = PluginManager()
    manager.register("p", "package 1.0", lambda: provider(evaluator("synflow"), evaluator("naswot")))
    with pytest.raises(UnknownNameError, match="Choose one of: naswot, synflow. Run 'nasbench evaluators'"):
        manager.evaluator("x")


def test_load_entry_points_finds_third_party_and_built_in_plugins(toy_plugins: PluginManager) -> None:
    assert toy_plugins.evaluator("toy-width").distribution == "toy-plugin 1.0"
    assert toy_plugins.evaluator("synflow").distribution.startswith("nasbench-toolkit ")
    assert toy_plugins.search_space("toy").info.name == "toy"
    assert toy_plugins.search_strategy("toy-first-come").distribution == "toy-plugin 1.0"
    assert toy_plugins.dataset("noise").distribution == "toy-plugin 1.0"
