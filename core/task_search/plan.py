"""A task search, fixed before anything is computed."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from ..asktell.strategy import StrategySpec
from ..descriptions import DatasetInfo, EvaluatorInfo
from ..plan import EvaluatorSpec, PlanHeader
from ..settings import settings_hash
from .fitness import TaskFitness


@dataclass(frozen=True)
class TaskSearchPlan:
    """What searches for what, how long.

    Attributes:
        header: Search space, data set and seed.
        strategy: Proposes tasks: values of the evaluator's setting.
        learns: Whether its proposals depend on fitness; if not, tasks that cannot become the best are abandoned.
        evaluator_info: Description of the evaluator.
        evaluator: Scores architectures, with any one value of the setting.
        setting: Name of the setting.
        fitness: Says how well a task ranks the labelled architectures.
        evaluations: Number of proposals, repeated ones included.
        parallel: Number of proposals that may wait for their fitness at the same time.
        images: The user's own image set, None if the data set is an installed one.
    """

    header: PlanHeader
    strategy: StrategySpec
    learns: bool
    evaluator_info: EvaluatorInfo
    evaluator: EvaluatorSpec
    setting: str
    fitness: TaskFitness
    evaluations: int
    parallel: int
    images: DatasetInfo | None = None

    def evaluator_with(self, design: str) -> EvaluatorSpec:
        """Return the evaluator with a value of its setting."""
        settings = self.evaluator_info.change_settings(self.evaluator.settings, {self.setting: design})
        header = dataclasses.replace(
            self.evaluator.header,
            settings=self.evaluator_info.effective_settings(settings),
            settings_hash=settings_hash(self.evaluator_info.version, settings),
        )
        return EvaluatorSpec(header, settings)

    def described(self) -> dict[str, Any]:
        """Return all that decides the sequence of proposals and their fitness, as JSON; its length does not count."""
        evaluator, labelled = self.evaluator.header, self.fitness.labelled
        settings = {name: value for name, value in evaluator.settings.items() if name != self.setting}
        described = {
            "space": self.header.space,
            "dataset": self.header.dataset,
            "seed": self.header.seed,
            "evaluator": evaluator.name,
            "evaluator version": evaluator.version,
            "evaluator settings": settings,
            "setting": self.setting,
            "designs": self.strategy.space.name,
            "strategy": self.strategy.name,
            "strategy settings": self.strategy.effective_settings,
            "parallel": self.parallel,
            "fitness": self.fitness.kind,
            "label": labelled.label,
            "label direction": labelled.direction,
            "labelled architectures": list(map(list, zip(labelled.arch_ids, labelled.labels, strict=True))),
            "space version": self.header.space_version,
            "dataset version": self.header.dataset_version,
            "strategy distribution": self.strategy.distribution,
            "evaluator distribution": evaluator.distribution,
            "abandons": not self.learns,
        }
        decoded: dict[str, Any] = json.loads(json.dumps(described))
        return decoded
