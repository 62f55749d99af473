"""Chooses the search strategy that a user names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..descriptions import SearchStrategyInfo
from ..interfaces import DesignSpace, SearchStrategy
from ..planning.spellings import parse_spelling
from ..plugin_manager import PluginManager
from ..settings import Settings, parse_settings


@dataclass(frozen=True)
class StrategySpec:
    """A search strategy with its settings.

    Attributes:
        info: Its description.
        settings: Its settings.
        distribution: Distribution and version that provide it, as in ``nasbench-toolkit 0.1.0``.
    """

    info: SearchStrategyInfo
    settings: Settings
    distribution: str

    def maker(self, space: DesignSpace, seed: int) -> Callable[[], SearchStrategy[Any]]:
        """Return what gives the strategy at its beginning, as often as it is called."""
        return partial(self.info.create, space, self.settings, seed)


def choose_strategy(text: str, plugins: PluginManager) -> StrategySpec:
    """Return the strategy that a text such as ``regularized-evolution:population_size=20`` names.

    Raises:
        UsageError: It does not exist, or its settings cannot be read.
    """
    spelling = parse_spelling(text)
    provided = plugins.search_strategy(spelling.name)
    settings = parse_settings(spelling.name, provided.info.settings, spelling.settings)
    return StrategySpec(provided.info, settings, provided.distribution)
