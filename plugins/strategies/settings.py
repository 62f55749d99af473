"""Settings of the search strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...core.errors import InvalidSettingError
from ...core.settings import Settings, setting


@dataclass(frozen=True)
class RegularizedEvolutionSettings(Settings):
    """Sizes of population and tournament: by default those of the GenNAS authors' searches (450 evaluations in all)."""

    population_size: int = setting(50, "Individuals that are alive, all of them drawn at random at first.", minimum=1)
    tournament_size: int = setting(10, "Individuals drawn for a tournament, whose best is the parent.", minimum=1)

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        if self.tournament_size > self.population_size:
            raise InvalidSettingError(
                f"A tournament of {self.tournament_size} cannot be drawn from a population of {self.population_size}: "
                "choose 'tournament_size' up to 'population_size'."
            )


@dataclass(frozen=True)
class LocalSearchSettings(Settings):
    """How the hill is climbed: by default as in the published algorithm."""

    move: Literal["best", "first"] = setting(
        "best", "Score all neighbours and move to the best, or move to the first that is better."
    )
    starts: int = setting(1, "Random architectures scored for each climb, which starts at the best.", minimum=1)
    mutants: int = setting(
        24, "Random mutants that stand for the neighbours in spaces that do not list them.", minimum=1
    )


@dataclass(frozen=True)
class ReinforceSettings(Settings):
    """How the policy learns: by default as in the benchmark authors' runs."""

    learning_rate: float = setting(0.01, "Step size of Adam.", minimum=1e-9)
    baseline_momentum: float = setting(
        0.9, "Momentum of the moving average of the fitness that is subtracted from it.", minimum=0.0, maximum=0.9999
    )


@dataclass(frozen=True)
class Nsga2Settings(Settings):
    """Size of the population."""

    population_size: int = setting(50, "Individuals that survive a generation, and children made in each.", minimum=2)


@dataclass(frozen=True)
class OptunaSettings(Settings):
    """Which sampler, with its own defaults."""

    sampler: Literal["tpe", "tpe-univariate", "random"] = setting(
        "tpe", "Parzen estimators of all decisions jointly or of each on its own, or random options."
    )
    startup: int = setting(
        10, "Proposals with a score before the estimators are used; random ones until then.", minimum=1
    )
    candidates: int = setting(24, "Candidates of which the estimators propose the best.", minimum=1)


@dataclass(frozen=True)
class SuccessiveHalvingSettings(Settings):
    """Shape of a bracket: by default 27 architectures, of which 9 and then 3 go on (eta of Li et al., JMLR 2018)."""

    starts: int = setting(27, "Random architectures at the lowest rung.", minimum=1)
    eta: int = setting(
        3, "One in so many goes on to the next rung, whose evaluations are as many times longer.", minimum=2
    )
    rungs: int = setting(3, "Lengths of evaluation; the last one is a full evaluation.", minimum=2, maximum=20)

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        needed = self.eta ** (self.rungs - 1)
        if self.starts < needed:
            raise InvalidSettingError(
                f"Of {self.starts} architectures none is left after {self.rungs - 1} times one in {self.eta}: choose "
                f"'starts' of at least {needed}, or fewer 'rungs'."
            )
