import json
import os
import re
import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest
from nasbench_toolkit import AggregateInfo, Direction, EvaluatorInfo, SearchStrategyInfo, Settings, hookimpl
from nasbench_toolkit.core.errors import PluginError, UnknownNameError
from nasbench_toolkit.core.plugin_manager import PluginManager, PluginWarning
from nasbench_toolkit.experiments.robustness.plugin_folder import make_plugin_folder

TOY_PLUGIN = Path(__file__).parents[1] / "toy_plugin"


def make_plugin(**functions: object) -> types.ModuleType:
    plugin = types.ModuleType("plugin")
    vars(plugin).update(functions)
    return plugin


def evaluator(name: str, **fields: object) -> EvaluatorInfo:
    given = {"factory": "json:JSONDecoder", "direction": Direction.MAXIMIZE} | fields
    return EvaluatorInfo(name=name, summary="For a test.", source="the tests", **given)


class NamedInfo(EvaluatorInfo):
    """Takes nothing but a name, so that its copy with a provider cannot be made."""

    def __init__(self, name: str) -> None:
        vars(self).update(vars(evaluator(name)))


def aggregate(name: str) -> AggregateInfo:
    return AggregateInfo(name=name, summary="For a test.", source="the tests", factory=len)


def provider(*infos: object) -> types.ModuleType:
    return make_plugin(nasbench_evaluators=hookimpl(lambda: list(infos)))


def load_broken() -> object:
    raise ImportError("No module named 'tensorflow'")


def unmarked_hook() -> types.ModuleType:
    return make_plugin(nasbench_evaluators=lambda: [])


def raising_hook() -> types.ModuleType:
    def fail() -> list[EvaluatorInfo]:
        raise RuntimeError("out of order")

    return make_plugin(nasbench_evaluators=hookimpl(fail))


def exiting_hook() -> types.ModuleType:
    return make_plugin(nasbench_evaluators=hookimpl(lambda: sys.exit("bye")))


def hook_with_an_argument() -> types.ModuleType:
    return make_plugin(nasbench_evaluators=hookimpl(lambda registry: []))


def wrapping_hook() -> types.ModuleType:
    def wrap():
        return (yield)

    return make_plugin(nasbench_evaluators=hookimpl(wrap, wrapper=True))


def hook_that_returns(returned: object):
    return lambda: make_plugin(nasbench_evaluators=hookimpl(lambda: returned))


def hook_without_a_direction() -> types.ModuleType:
    def describe() -> list[EvaluatorInfo]:
        return [EvaluatorInfo(name="e", summary="For a test.", source="the tests", factory=len)]

    return make_plugin(nasbench_evaluators=hookimpl(describe))


def bad_name_hook() -> types.ModuleType:
    return make_plugin(nasbench_evaluators=hookimpl(lambda: [evaluator("Not A Name")]))


@pytest.mark.parametrize(
    ("load", "cause"),
    [
        (load_broken, "ImportError: No module named 'tensorflow'"),
        (unmarked_hook, "its function 'nasbench_evaluators' is not marked with @hookimpl: put the mark above it"),
        (raising_hook, "RuntimeError: out of order"),
        (exiting_hook, "SystemExit: bye"),
        (hook_with_an_argument, "its hook 'nasbench_evaluators' takes registry: hooks are called without arguments"),
        (wrapping_hook, "its function 'nasbench_evaluators' wraps the hook 'nasbench_evaluators'"),
        (lambda: provider("synflow"), "its hook 'nasbench_evaluators' yielded str, expected EvaluatorInfo"),
        (
            hook_that_returns(evaluator("one")),
            "its hook 'nasbench_evaluators' returned one EvaluatorInfo where several are expected: 'yield' it, or "
            "return a list",
        ),
        (hook_that_returns(3), "its hook 'nasbench_evaluators' returned int, expected EvaluatorInfo objects: 'yield'"),
        (hook_that_returns(None), "its hook 'nasbench_evaluators' returned nothing: 'yield' each EvaluatorInfo, or"),
        (
            hook_without_a_direction,
            "The evaluator 'e' has direction None: use Direction.MAXIMIZE or Direction.MINIMIZE",
        ),
        (bad_name_hook, "Bad evaluator name 'Not A Name'"),
        (
            lambda: provider(evaluator("same"), evaluator("same")),
            "it provides the evaluator 'same' twice: give one of the two another name",
        ),
        (
            lambda: make_plugin(
                nasbench_evaluators=hookimpl(lambda: [evaluator("same")]),
                nasbench_aggregates=hookimpl(lambda: [aggregate("same")]),
            ),
            "it provides the evaluator 'same' twice",
        ),
        (
            lambda: provider(evaluator("first"), NamedInfo("second")),
            "TypeError: NamedInfo.__init__() got an unexpected keyword argument",
        ),
        (
            lambda: provider(evaluator("lost", factory="json.nowhere:Nothing")),
            "its evaluator 'lost' has the factory 'json.nowhere:Nothing', and there is no module 'json.nowhere': "
            "correct the path",
        ),
        (
            lambda: provider(evaluator("lost", factory="json")),
            "The evaluator 'lost' has the factory 'json': give a class, or its import path as in 'package.module:Name'",
        ),
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


@pytest.mark.parametrize(
    ("taken", "kind"),
    [
        (evaluator("mine"), "evaluator"),
        (aggregate("mine"), "aggregate"),
    ],
)
def test_register_name_that_is_taken_leaves_out_that_one_only(taken, kind: str) -> None:
    manager = PluginManager()
    manager.register("one", "first-package 1.0", lambda: provider(evaluator("mine"), evaluator("other")))
    plugin = make_plugin(
        nasbench_evaluators=hookimpl(lambda: [evaluator("free"), *([taken] if kind == "evaluator" else [])]),
        nasbench_aggregates=hookimpl(lambda: [taken] if kind == "aggregate" else []),
    )
    message = (
        f"Plugin 'two' of second-package 2.0: Its {kind} 'mine' was left out: it has the name of the evaluator of "
        "first-package 1.0; rename it, or uninstall one of the two. The rest of the plugin works."
    )
    with pytest.warns(PluginWarning, match=f"^{re.escape(message)}$"):
        manager.register("two", "second-package 2.0", lambda: plugin)
    assert {name: item.distribution for name, item in manager.evaluators().items()} == {
        "free": "second-package 2.0",
        "mine": "first-package 1.0",
        "other": "first-package 1.0",
    }
    assert manager.aggregates() == {}
    assert (manager.records[1].problem, manager.records[1].remark) == (None, message.partition(": ")[2])


def test_register_same_name_of_different_kinds_is_fine() -> None:
    manager = PluginManager()
    strategy = SearchStrategyInfo(name="mine", summary="For a test.", source="the tests", factory=len)
    manager.register(
        "p",
        "package 1.0",
        lambda: make_plugin(
            nasbench_evaluators=hookimpl(lambda: [evaluator("mine")]),
            nasbench_search_strategies=hookimpl(lambda: [strategy]),
        ),
    )
    assert (list(manager.evaluators()), list(manager.search_strategies())) == (["mine"], ["mine"])


@pytest.mark.parametrize(
    ("hook", "guess"),
    [("nasbench_evaluatrs", " Did you mean 'nasbench_evaluators'?"), ("nasbench_language_models", "")],
)
def test_register_unknown_hook_is_one_warning_and_the_other_hooks_work(hook: str, guess: str) -> None:
    manager = PluginManager()
    plugin = make_plugin(
        **{hook: hookimpl(lambda: ["of a newer version"]), "nasbench_evaluators": hookimpl(lambda: [evaluator("mine")])}
    )
    message = f"Plugin 'new' of new-package 3.0: This version of nasbench-toolkit has no hook '{hook}'.{guess} The rest"
    with pytest.warns(PluginWarning, match=re.escape(message)) as caught:
        manager.register("new", "new-package 3.0", lambda: plugin)
    assert len(caught) == 1
    assert list(manager.evaluators()) == ["mine"]
    assert [(record.problem, record.hooks) for record in manager.records] == [(None, ["nasbench_evaluators"])]
    assert hook in manager.records[0].remark


def test_register_optional_hook_that_is_unknown_is_no_warning() -> None:
    manager = PluginManager()
    plugin = make_plugin(nasbench_language_models=hookimpl(lambda: [], optionalhook=True))
    with warnings.catch_warnings(action="error"):
        manager.register("new", "new-package 3.0", lambda: plugin)
    assert (manager.records[0].problem, manager.records[0].remark) == (None, None)


def test_register_optional_hook_that_is_known_is_asked() -> None:
    manager = PluginManager()
    plugin = make_plugin(nasbench_evaluators=hookimpl(lambda: [evaluator("mine")], optionalhook=True))
    manager.register("new", "new-package 3.0", lambda: plugin)
    assert list(manager.evaluators()) == ["mine"]


def test_register_hooks_under_other_names() -> None:
    manager = PluginManager()
    plugin = make_plugin(
        cheap=hookimpl(lambda: [evaluator("cheap")], specname="nasbench_evaluators"),
        dear=hookimpl(lambda: iter([evaluator("dear")]), specname="nasbench_evaluators"),
    )
    manager.register("p", "package 1.0", lambda: plugin)
    assert list(manager.evaluators()) == ["cheap", "dear"]
    assert manager.records[0].hooks == ["nasbench_evaluators"]


def test_register_object_with_methods() -> None:
    class Plugin:
        @hookimpl
        def nasbench_evaluators(self) -> list[EvaluatorInfo]:
            return [evaluator("mine")]

    manager = PluginManager()
    manager.register("p", "package 1.0", Plugin)
    assert list(manager.evaluators()) == ["mine"]


@pytest.mark.parametrize(
    ("factory", "cause"),
    [
        ("json:JSONDecodr", "the module 'json' has no 'JSONDecodr'. Did you mean 'JSONDecoder'"),
        ("antigravity:fly", None),
        (lambda settings: 1 / 0, "ZeroDivisionError: division by zero. This is a fault of its plugin"),
    ],
    ids=["name", "import", "call"],
)
def test_create_what_cannot_be_made_names_plugin_and_distribution(monkeypatch, tmp_path, factory, cause) -> None:
    if cause is None:
        (tmp_path / "broken_module.py").write_text("import not_installed_anywhere\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        factory = "broken_module:Thing"
        cause = "importing 'broken_module' failed with ModuleNotFoundError: No module named 'not_installed_anywhere'"
    manager = PluginManager()
    manager.register("p", "package 1.0", lambda: provider(evaluator("mine", factory=factory)))
    with pytest.raises(PluginError, match=r"The evaluator 'mine' \(plugin 'p' of package 1.0\) cannot be") as caught:
        manager.evaluator("mine").info.create(Settings())
    assert cause in str(caught.value)


def test_reason_unsupported_that_fails_is_a_reason(toy_plugins: PluginManager) -> None:
    info = evaluator("mine", needs=frozenset(), why_unsupported=lambda space, dataset: 1 / 0)
    space, dataset = toy_plugins.search_space("toy").info, toy_plugins.dataset("noise").info
    reason = info.reason_unsupported(space, dataset)
    assert reason == "asked for a reason, it failed with ZeroDivisionError: division by zero; a fault of its plugin"


def test_spaces_whose_images_are_not_installed_do_not_disturb_listings(run_nasbench, tmp_path) -> None:
    folder = make_plugin_folder(tmp_path / "plugin", "blind", "blind")
    (folder / "blind.py").write_text(
        "from nasbench_toolkit import SearchSpaceInfo, hookimpl\n"
        "@hookimpl\n"
        "def nasbench_search_spaces():\n"
        "    for name, datasets in (('blind', ('nowhere',)), ('without', ())):\n"
        "        yield SearchSpaceInfo(name=name, summary='S.', source='here', factory='blind:It', datasets=datasets)\n"
    )
    done = run_nasbench("evaluators", "params", "-f", "json", plugins=[folder])
    assert done.returncode == 0, done.stderr
    supported = {row["space"]: row["supported"] for row in json.loads(done.stdout)["spaces"]}
    assert supported["blind"] == supported["without"] == "no: no dataset of this space is installed"
    done = run_nasbench("run", "--space", "blind", "-e", "params", plugins=[folder])
    assert done.returncode == 2
    assert "(plugin 'blind' of blind 1.0) names the datasets nowhere, none of which is installed." in done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import threading, time; threading.Thread(target=time.sleep, args=(3600,)).start()",
        "import atexit; atexit.register(print, 'bye')",
    ],
)
def test_threads_and_functions_at_exit_of_plugins_change_neither_end_nor_output(tmp_path, code: str) -> None:
    folder = make_plugin_folder(tmp_path / "plugin", "lasting", "lasting")
    (folder / "lasting.py").write_text(code)
    for args, expected in ((["plugins", "lasting", "-f", "json"], 0), (["plugins", "nowhere"], 2)):
        done = subprocess.run(
            [sys.executable, "-m", "nasbench_toolkit", *args],
            env=os.environ | {"PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == expected, done.stderr
        assert not done.stdout or json.loads(done.stdout)["distribution"] == "lasting 1.0"


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


@pytest.fixture
def plugins_of(monkeypatch, tmp_path):
    """Install a plugin of one evaluator for each name, and load what NASBENCH_PLUGINS chooses."""

    def load(names: str, chosen: str | None) -> PluginManager:
        for name in names.split():
            folder = tmp_path / f"{name}-1.0.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            (folder / "entry_points.txt").write_text(f"[nasbench]\n{name} = {name}\n")
            (tmp_path / f"{name}.py").write_text(PLUGIN.format(evaluator="params" if name == "aaa" else f"of-{name}"))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delenv("NASBENCH_PLUGINS", raising=False)
        if chosen is not None:
            monkeypatch.setenv("NASBENCH_PLUGINS", chosen)
        manager = PluginManager()
        manager.load_entry_points()
        return manager

    return load


PLUGIN = """
from nasbench_toolkit import Direction, EvaluatorInfo, hookimpl

@hookimpl
def nasbench_evaluators():
    yield EvaluatorInfo(
        name="{evaluator}", summary="For a test.", source="the tests", factory=float, direction=Direction.MAXIMIZE
    )
"""


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [(None, ["of-one", "of-two"]), ("", []), ("one", ["of-one"]), (" two , one,", ["of-one", "of-two"])],
)
def test_environment_chooses_plugins(plugins_of, chosen: str | None, expected: list[str]) -> None:
    manager = plugins_of("one two", chosen)
    assert [name for name in manager.evaluators() if name.startswith("of-")] == expected
    assert "synflow" in manager.evaluators()
    left_out = [record.name for record in manager.records if record.problem == "NASBENCH_PLUGINS does not name it"]
    assert left_out == sorted({"one", "two"} - {name.removeprefix("of-") for name in expected})


def test_environment_names_what_is_not_installed(plugins_of) -> None:
    message = "NASBENCH_PLUGINS names the plugin 'onee', which is not installed. Did you mean 'one'"
    with pytest.warns(PluginWarning, match=message):
        plugins_of("one two", "onee")


def test_name_of_a_built_in_leaves_out_the_other_whatever_the_order_of_names(plugins_of) -> None:
    with pytest.warns(
        PluginWarning, match="Plugin 'aaa' of aaa 1.0: Its evaluator 'params' was left out: it has the name"
    ):
        manager = plugins_of("aaa one", None)
    assert manager.evaluator("params").distribution.startswith("nasbench-toolkit ")
    assert manager.evaluator("of-one").distribution == "one 1.0"


def test_workers_load_the_same_plugins(tmp_path) -> None:
    for name in ("loud", "quiet"):
        folder = tmp_path / "site" / f"{name}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[nasbench]\n{name} = {name}\n")
        note = f"import os; open({str(tmp_path / name)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        (tmp_path / "site" / f"{name}.py").write_text(note + PLUGIN.format(evaluator=f"of-{name}"))
    path = os.pathsep.join([str(TOY_PLUGIN), str(tmp_path / "site")])
    # In a process of its own: worker processes have the environment of the first that this one has started.
    done = subprocess.run(
        [sys.executable, "-m", "nasbench_toolkit", "run", "--space", "toy", "-e", "toy-width", "-n", "1"],
        env=os.environ | {"PYTHONPATH": path, "NASBENCH_PLUGINS": "toy,loud"}, cwd=tmp_path, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # This process and its worker.
    assert len(set((tmp_path / "loud").read_text().split())) == 2
    assert not (tmp_path / "quiet").exists()
