"""A task search, fixed before anything is computed, and how to run it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..descriptions import DatasetInfo
from ..interfaces import DesignSpace, SearchStrategy
from ..plan import EvaluatorSpec, PlanHeader
from ..settings import settings_hash
from .fitness import Judge


@dataclass(frozen=True)
class TaskSearchPlan:
    """What searches for what, how long.

    Attributes:
        header: Search space, data set and seed.
        designs: What the strategy proposes: values of the evaluator's setting.
        evaluator: Scores architectures, with any one value of the setting.
        setting: Name of the setting.
        judge: Knows the labelled architectures, and says how good a task is.
        strategy: Name of the search strategy.
        strategy_settings: Its settings by name.
        distribution: Distribution and version that provide the strategy.
        make_strategy: Gives the strategy at its beginning; a resumed search goes through its proposals again.
        learns: Whether proposals depend on fitness; if not, tasks that cannot become the best are abandoned.
        evaluations: Number of proposals to judge, repeated ones included.
        parallel: Number of proposals that may wait for their fitness at the same time.
        images: The user's own image set, None if the data set is an installed one.
    """

    header: PlanHeader
    designs: DesignSpace
    evaluator: EvaluatorSpec
    setting: str
    judge: Judge
    strategy: str
    strategy_settings: dict[str, Any]
    distribution: str
    make_strategy: Callable[[], SearchStrategy[Any]]
    learns: bool
    evaluations: int
    parallel: int
    images: DatasetInfo | None = None

    def evaluator_with(self, design: str) -> EvaluatorSpec:
        """Return the evaluator with a value of its setting."""
        settings = dataclasses.replace(self.evaluator.settings, **{self.setting: design})
        version = self.evaluator.header.version
        header = dataclasses.replace(
            self.evaluator.header, settings=settings.effective(), settings_hash=settings_hash(version, settings)
        )
        return EvaluatorSpec(header, settings)

    def described(self) -> dict[str, Any]:
        """Return all that decides the sequence of proposals and their fitness, as JSON; its length does not count."""
        evaluator, labelled = self.evaluator.header, self.judge.labelled
        settings = {name: value for name, value in evaluator.settings.items() if name != self.setting}
        described = {
            "space": self.header.space,
            "dataset": self.header.dataset,
            "seed": self.header.seed,
            "evaluator": evaluator.name,
            "evaluator version": evaluator.version,
            "evaluator settings": settings,
            "setting": self.setting,
            "designs": self.designs.name,
            "strategy": self.strategy,
            "strategy settings": self.strategy_settings,
            "parallel": self.parallel,
            "fitness": self.judge.kind,
            "label": labelled.label,
            "label direction": labelled.direction,
            "labelled architectures": list(map(list, zip(labelled.arch_ids, labelled.labels, strict=True))),
            "abandons": not self.learns,
        }
        decoded: dict[str, Any] = json.loads(json.dumps(described))
        return decoded


@dataclass(frozen=True)
class TaskSearchOptions:
    """How to run a task search; nothing here changes its steps.

    Attributes:
        output: Where the best task is written, as soon as there is one and whenever there is a better one.
        devices: Device of each worker process.
        threads: Math threads of each worker. More than one may change the last digits of a score.
        time_limit: Seconds that one network may take, None for no limit.
        resume: Continue the search if its history exists.
        overwrite: Replace task and history if they exist.
    """

    output: Path
    devices: tuple[str, ...]
    threads: int = 1
    time_limit: float | None = None
    resume: bool = False
    overwrite: bool = False

    @property
    def history(self) -> Path:
        """The file of all that the search did, beside the task."""
        return self.output.with_name(f"{self.output.name}.history")
