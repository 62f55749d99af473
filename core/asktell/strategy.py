"""Chooses the search strategy that a user names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..descriptions import SearchStrategyInfo
from ..interfaces import DesignSpace, SearchStrategy
from ..planning.spellings import parse_spelling
from ..plugin_manager import PluginManager
from ..settings import Settings


@dataclass(frozen=True)
class StrategySpec:
    """A search strategy with all that it is made from.

    Attributes:
        info: Its description.
        settings: Its settings.
        distribution: Distribution and version that provide it, as in ``nasbench-toolkit 0.1.0``.
        space: What it proposes from.
        seed: Seed of its random numbers.
    """

    info: SearchStrategyInfo
    settings: Settings
    distribution: str
    space: DesignSpace
    seed: int

    @property
    def name(self) -> str:
        """Name of the strategy."""
        return self.info.name

    @property
    def effective_settings(self) -> dict[str, Any]:
        """What of its settings decides its proposals, by name."""
        return self.info.effective_settings(self.settings)

    def make(self) -> SearchStrategy[Any]:
        """Return the strategy at its beginning; a resumed search goes through its proposals again."""
        return self.info.create(self.space, self.settings, self.seed)


def choose_strategy(text: str, space: DesignSpace, seed: int, plugins: PluginManager) -> StrategySpec:
    """Return the strategy that a text such as ``regularized-evolution:population_size=20`` names.

    Raises:
        UsageError: It does not exist, or its settings cannot be read.
    """
    spelling = parse_spelling(text)
    provided = plugins.search_strategy(spelling.name)
    settings = provided.info.parse_settings(spelling.settings)
    return StrategySpec(provided.info, settings, provided.distribution, space, seed)
