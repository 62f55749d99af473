"""Built-in search strategies."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.descriptions import SearchStrategyInfo
from ...core.hookspecs import hookimpl
from .settings import LocalSearchSettings, RegularizedEvolutionSettings, ReinforceSettings


@hookimpl
def nasbench_search_strategies() -> Iterator[SearchStrategyInfo]:
    """Yield the built-in search strategies."""
    yield SearchStrategyInfo(
        name="random-search",
        summary="Proposes architectures uniformly at random, each at most once.",
        source="Bergstra & Bengio 2012; the control that every other strategy has to beat",
        factory=f"{__name__}.random_search:RandomSearch",
    )
    yield SearchStrategyInfo(
        name="regularized-evolution",
        summary="Mutates the best of a few individuals of a population whose oldest dies.",
        source="Real, Aggarwal, Huang & Le, AAAI 2019, algorithm 1; sizes of Li et al. (GenNAS), NeurIPS 2021",
        factory=f"{__name__}.regularized_evolution:RegularizedEvolution",
        settings=RegularizedEvolutionSettings,
    )
    yield SearchStrategyInfo(
        name="local-search",
        summary="Climbs from neighbour to neighbour, and starts again at random where none is better.",
        source="White, Nolen & Savani, UAI 2021, algorithm 1",
        factory=f"{__name__}.local_search:LocalSearch",
        settings=LocalSearchSettings,
    )
    yield SearchStrategyInfo(
        name="reinforce",
        summary="Learns a probability for each option of each decision from the scores of what it samples.",
        source="Williams 1992; as run by Dong & Yang, ICLR 2020, and NATS-Bench, TPAMI 2021",
        factory=f"{__name__}.reinforce:Reinforce",
        settings=ReinforceSettings,
    )
