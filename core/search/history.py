"""What a search did, step by step."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain import Direction, Record, Status
from ..plan import EvaluatorHeader
from ..results.contents import Results


@dataclass(frozen=True)
class SearchHeader:
    """A search as its results file describes it.

    Attributes:
        space: Name of the search space.
        dataset: Name of the data set that the evaluator sees.
        evaluator: The evaluator whose score is maximised, or minimised if that is the better end.
        strategy: Name of the search strategy.
        strategy_settings: Its settings by name.
        seed: The search's seed.
        parallel: Number of proposals that may wait for their scores at the same time. More than one changes the
            sequence of proposals; how many workers there are does not.
    """

    space: str
    dataset: str
    evaluator: EvaluatorHeader
    strategy: str
    strategy_settings: Mapping[str, Any]
    seed: int
    parallel: int

    @property
    def search_id(self) -> str:
        """Hash of all that decides the sequence of proposals, 16 hexadecimal digits; its length does not count."""
        evaluator = [self.evaluator.name, self.evaluator.settings_hash]
        strategy = [self.strategy, self.strategy_settings]
        text = json.dumps([self.space, self.dataset, evaluator, strategy, self.seed, self.parallel], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Step:
    """One proposal of the strategy and its score.

    Attributes:
        architecture: As the strategy spelled it.
        arch_id: Its canonical string.
        record: The outcome of its job.
        repeated: Whether an isomorphic architecture had been proposed before: nothing was computed.
        fitness: The score, turned so that higher is better; None if there is none.
    """

    architecture: str
    arch_id: str
    record: Record
    repeated: bool
    fitness: float | None

    @classmethod
    def of(cls, architecture: str, arch_id: str, record: Record, *, repeated: bool, direction: Direction) -> Step:
        """Make a step of a proposal and its record; ``direction`` is the evaluator's."""
        fitness = direction.sign * record.score if record.status is Status.OK else None
        return cls(architecture, arch_id, record, repeated, fitness)


@dataclass(frozen=True)
class SearchHistory:
    """All steps of a search, in the order that the strategy was told of them.

    Attributes:
        header: What searched for what.
        steps: The steps.
        results: The architectures that were proposed, each once, with their ground truth: a results file's contents,
            whose architectures are in the order in which they were first proposed. Where a search was interrupted,
            some may have no score yet, or one that no step has used.
    """

    header: SearchHeader
    steps: Sequence[Step]
    results: Results

    def best_so_far(self) -> list[int | None]:
        """Return for each step the position of the best step up to it: the earliest of the best; None without one."""
        best: int | None = None
        best_fitness = -math.inf
        positions = []
        for position, step in enumerate(self.steps):
            if step.fitness is not None and step.fitness > best_fitness:
                best, best_fitness = position, step.fitness
            positions.append(best)
        return positions
