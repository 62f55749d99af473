"""Built-in search strategies."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.descriptions import SearchStrategyInfo
from ...core.hookspecs import hookimpl
from ..references import references
from .settings import (
    LocalSearchSettings,
    Nsga2Settings,
    OptunaSettings,
    RegularizedEvolutionSettings,
    ReinforceSettings,
    SuccessiveHalvingSettings,
)


@hookimpl
def nasbench_search_strategies() -> Iterator[SearchStrategyInfo]:
    """Yield the built-in search strategies."""
    yield SearchStrategyInfo(
        name="random-search",
        summary="Proposes architectures uniformly at random, each at most once.",
        source="Bergstra & Bengio 2012; the control that every other strategy has to beat",
        references=references("bergstra2012randomsearch"),
        factory=f"{__name__}.random_search:RandomSearch",
    )
    yield SearchStrategyInfo(
        name="regularized-evolution",
        summary="Mutates the best of a few individuals of a population whose oldest dies.",
        source="Real, Aggarwal, Huang & Le, AAAI 2019, algorithm 1; sizes of Li et al. (GenNAS), NeurIPS 2021",
        references=references("real2019evolution"),
        factory=f"{__name__}.regularized_evolution:RegularizedEvolution",
        settings=RegularizedEvolutionSettings,
    )
    yield SearchStrategyInfo(
        name="local-search",
        summary="Climbs from neighbour to neighbour, and starts again at random where none is better.",
        source="White, Nolen & Savani, UAI 2021, algorithm 1",
        references=references("white2021localsearch"),
        factory=f"{__name__}.local_search:LocalSearch",
        settings=LocalSearchSettings,
    )
    yield SearchStrategyInfo(
        name="reinforce",
        summary="Learns a probability for each option of each decision from the scores of what it samples.",
        source="Williams 1992; as run by Dong & Yang, ICLR 2020, and NATS-Bench, TPAMI 2021",
        references=references("williams1992reinforce", "dong2020nasbench201", "dong2021natsbench"),
        factory=f"{__name__}.reinforce:Reinforce",
        settings=ReinforceSettings,
    )
    yield SearchStrategyInfo(
        name="nsga2",
        summary="Evolves a population towards the Pareto front of several objectives; needs the extra 'search'.",
        source="Deb, Pratap, Agarwal & Meyarivan, IEEE TEC 2002; by pymoo (Blank & Deb, IEEE Access 2020)",
        references=references("deb2002nsga2", "blank2020pymoo"),
        factory=f"{__name__}.nsga2:Nsga2",
        settings=Nsga2Settings,
        multi_objective=True,
    )
    yield SearchStrategyInfo(
        name="optuna",
        summary="Proposes what a sampler of Optuna suggests, by default TPE; needs the extra 'search'.",
        source="Akiba, Sano, Yanase, Ohta & Koyama, KDD 2019; TPE: Bergstra, Bardenet, Bengio & Kegl, NeurIPS 2011",
        references=references("akiba2019optuna", "bergstra2011tpe"),
        factory=f"{__name__}.optuna_sampler:OptunaSampler",
        settings=OptunaSettings,
    )
    yield SearchStrategyInfo(
        name="successive-halving",
        summary="Trains many architectures shortly and ever fewer of them longer; for evaluators with epochs.",
        source="Jamieson & Talwalkar, AISTATS 2016; a bracket of Hyperband, Li et al., JMLR 2018",
        references=references("jamieson2016halving", "li2018hyperband"),
        factory=f"{__name__}.successive_halving:SuccessiveHalving",
        settings=SuccessiveHalvingSettings,
    )
