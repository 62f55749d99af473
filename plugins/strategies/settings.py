"""Settings of the search strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...core.errors import InvalidSettingError
from ...core.settings import Settings, setting


@dataclass(frozen=True)
class RegularizedEvolutionSettings(Settings):
    """Sizes of population and tournament: by default those of the GenNAS authors' searches (450 evaluations in all)."""

    population: int = setting(50, "Individuals that are alive, all of them drawn at random at first.", minimum=1)
    sample: int = setting(10, "Individuals drawn for a tournament, whose best is the parent.", minimum=1)

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        if self.sample > self.population:
            raise InvalidSettingError(
                f"A tournament of {self.sample} cannot be drawn from a population of {self.population}: "
                "choose 'sample' up to 'population'."
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
