"""Documentation, examples and what the package exports name the same things."""

import ast
import dataclasses
import importlib
import re
import subprocess
import sys
import types
from pathlib import Path

import nasbench_toolkit
import pytest
from nasbench_toolkit import testing
from nasbench_toolkit.core.loading.setting_types import check_settings_class
from nasbench_toolkit.core.plugin_manager import PluginManager, installed_plugins
from nasbench_toolkit.core.settings import parse_settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXPORTED = {"nasbench_toolkit": set(nasbench_toolkit.__all__), "nasbench_toolkit.testing": set(testing.__all__)}


def code_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def imported_names(source: str) -> set[tuple[str, str]]:
    """Return module and name of all that a source imports from the toolkit."""
    return {
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nasbench_toolkit")
        for alias in node.names
    }


def shown_sources() -> dict[str, str]:
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "examples").rglob("*.py")}
    sources["tests/toy_plugin"] = (ROOT / "tests/toy_plugin/toy_plugin.py").read_text()
    for page in PAGES:
        sources |= {f"{page.name}-{number}": block for number, block in enumerate(code_blocks(page), start=1)}
    return sources


SOURCES = shown_sources()


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_shown_imports_what_is_exported(name: str) -> None:
    for module, imported in imported_names(SOURCES[name]):
        # What belongs to one search space is not exported for all plugins.
        if module.startswith("nasbench_toolkit.plugins.search_spaces."):
            assert hasattr(importlib.import_module(module), imported), f"{name} imports {imported} from {module}"
            continue
        assert module in EXPORTED, f"{name} imports from {module}"
        assert imported in EXPORTED[module], f"{name} imports {imported} from {module}"


def test_classes_that_the_plugin_page_names_are_exported() -> None:
    text = re.sub(r"```.*?```", "", (ROOT / "docs/plugins.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    classes = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)", text))
    assert classes - EXPORTED["nasbench_toolkit"] - EXPORTED["nasbench_toolkit.testing"] == set()


@pytest.mark.parametrize("module", EXPORTED)
def test_every_exported_name_is_documented(module: str) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in sorted(EXPORTED[module]) if f"`{name}" not in text] == []


@pytest.mark.parametrize("module", EXPORTED)
def test_every_exported_name_is_there(module: str) -> None:
    code = (
        f"from {module} import *\nimport {module} as package\nassert all(name in globals() for name in package.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'nasbench_toolkit' has no attribute 'Nothing'"):
        nasbench_toolkit.Nothing  # noqa: B018


def test_import_brings_no_heavy_library() -> None:
    code = "import sys, nasbench_toolkit; print([n for n in ('torch', 'numpy', 'h5py', 'pandas') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def block_with(text: str) -> str:
    (block,) = [block for block in code_blocks(ROOT / "docs/plugins.md") if text in block]
    return block


def test_capability_of_the_plugin_page_works_as_it_says() -> None:
    plugin = types.ModuleType("spikes")
    exec(block_with("class SpikingNetwork"), vars(plugin))
    manager = PluginManager()
    manager.register("spikes", "spikes 1.0", lambda: plugin)
    mine = manager.evaluator("spikes").info
    space = installed_plugins().search_space("nasbench201-tiny").info
    mnist = installed_plugins().dataset("mnist").info
    reason = mine.reason_unsupported(space, mnist)
    assert f"`{reason}`" in (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    spiking = dataclasses.replace(space, provides=space.provides | {plugin.SpikingNetwork})
    assert mine.reason_unsupported(spiking, mnist) is None


def test_settings_of_the_plugin_page_work_as_it_says() -> None:
    module = types.ModuleType("depth_settings")
    exec(block_with("class DepthSettings"), vars(module))
    check_settings_class("the evaluator 'depth'", module.DepthSettings)
    assert parse_settings("depth", module.DepthSettings, {"kernels": "3/5/7"}).kernels == (3, 5, 7)
    with pytest.raises(nasbench_toolkit.InvalidSettingError, match="is for layers"):
        parse_settings("depth", module.DepthSettings, {"count": "blocks", "limit": "2"})
