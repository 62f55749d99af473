"""The strategy of ``docs/plugins.md`` does what the page says."""

import re
import types
from pathlib import Path

import pytest
from nasbench_toolkit.core.errors import PluginError
from nasbench_toolkit.core.plugin_manager import PluginManager
from nasbench_toolkit.core.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.fixture
def info():
    (source,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "class LastPath(" in block]
    plugin = types.ModuleType("last_path")
    exec(source, vars(plugin))
    manager = PluginManager()
    manager.register("last-path", "last-path 1.0", lambda: plugin)
    return manager.search_strategy("last-path").info


def test_the_strategy_of_the_page_trains_derives_and_goes_on(info, context) -> None:
    whole, first = (info.begin(context(images=200), info.settings()) for _ in range(2))
    figures = [whole.train_epoch() for _ in range(2)]
    assert figures[0] == first.train_epoch()
    resumed = info.begin(context(images=200), info.settings())
    resumed.load_state(first.state())
    assert resumed.train_epoch() == figures[1]
    assert resumed.derive(last=True) == whole.derive(last=True)


def test_a_strategy_without_epochs_is_left_out(info) -> None:
    with pytest.raises(PluginError, match="do not say how long it trains: add a whole number 'epochs'"):
        type(info)(
            name="endless", summary="Trains.", source="the tests", factory=object, settings=Settings
        )  # fmt: skip
