import inspect
import textwrap
import types

import nasbench_toolkit
import pytest
from nasbench_toolkit.core import hookspecs
from nasbench_toolkit.core.plugin_manager import HOOKS, PluginManager


def example_in(docstring: str) -> str:
    """Return the code block of a hook specification's docstring."""
    return textwrap.dedent(docstring.split(".. code-block:: python")[1])


@pytest.fixture(autouse=True)
def my_plugin(tmp_path, monkeypatch) -> None:
    """Write the modules that the examples name, which are found and never imported."""
    package = tmp_path / "my_plugin"
    package.mkdir()
    for module in ("__init__", "space", "depth", "cheap", "strategy", "noise", "table", "tables", "cluster"):
        (package / f"{module}.py").write_text("raise AssertionError('loading a plugin imports no implementation')")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_example_registers_and_yields_what_the_hook_is_for(hook: str) -> None:
    plugin = types.ModuleType("example")
    vars(plugin).update({name: getattr(nasbench_toolkit, name) for name in nasbench_toolkit.__all__})
    exec(example_in(inspect.getdoc(getattr(hookspecs, hook)) or ""), vars(plugin))
    manager = PluginManager()
    manager.register("example", "example 1.0", lambda: plugin)
    assert [(record.problem, record.hooks) for record in manager.records] == [(None, [hook])]
    accessor = getattr(manager, hook.removeprefix("nasbench_"))
    assert [provided.distribution for provided in accessor().values()] == ["example 1.0"]


def test_every_hook_specification_has_a_type_and_an_accessor() -> None:
    specifications = {name for name in vars(hookspecs) if name.startswith("nasbench_")}
    assert specifications == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_specification_says_when_what_on_failure_and_since_when(hook: str) -> None:
    text = inspect.getdoc(getattr(hookspecs, hook)) or ""
    for part in ("Called when plugins are loaded.", "Returns:\n", "leaves this plugin out", "Since version 0.1."):
        assert part in text
