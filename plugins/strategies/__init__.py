"""Built-in search strategies."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.descriptions import SearchStrategyInfo
from ...core.hookspecs import hookimpl


@hookimpl
def nasbench_search_strategies() -> Iterator[SearchStrategyInfo]:
    """Yield the built-in search strategies."""
    yield SearchStrategyInfo(
        name="random-search",
        summary="Proposes architectures uniformly at random, each at most once.",
        source="Bergstra & Bengio 2012; the control that every other strategy has to beat",
        factory=f"{__name__}.random_search:RandomSearch",
    )
