"""A search, fixed before anything is computed, and how to run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..descriptions import DatasetInfo
from ..interfaces import SearchSpace, SearchStrategy
from ..plan import EvaluatorSpec, GroundTruthColumn
from .history import SearchHeader
from .outcome import TableSummary


@dataclass(frozen=True)
class SearchPlan:
    """What searches for what, how long.

    Attributes:
        header: Names, settings and seed.
        space: The search space.
        evaluators: Those of the header in its order; the score of the first is the fitness.
        make_strategy: Gives the strategy at its beginning; a resumed search goes through its steps again.
        distribution: Distribution and version that provide the strategy, as in ``nasbench-toolkit 0.1.0``.
        evaluations: Number of proposals that get a score, those of architectures that had one included; those that
            are refused come on top.
        ground_truth: Gives the table's columns for architectures, also for none of them: the columns are then empty.
            Only for the results file: no decision depends on it. Called once for every new architecture.
        images: The user's own image set, None if the data set is an installed one.
        table: What the table says of all its architectures by the first of these columns, None if there is no table.
            Only for the regret.
    """

    header: SearchHeader
    space: SearchSpace
    evaluators: tuple[EvaluatorSpec, ...]
    make_strategy: Callable[[], SearchStrategy[Any]]
    distribution: str
    evaluations: int
    ground_truth: Callable[[Sequence[str]], tuple[GroundTruthColumn, ...]]
    images: DatasetInfo | None = None
    table: TableSummary | None = None


@dataclass(frozen=True)
class SearchOptions:
    """How to run a search; nothing here changes its steps.

    Attributes:
        output: The results file.
        devices: Device of each worker process; no more are started than proposals wait at the same time.
        threads: Math threads of each worker. More than one may change the last digits of a score.
        time_limit: Seconds that one evaluation may take, None for no limit.
        resume: Continue the file if it exists.
        overwrite: Replace the file if it exists.
    """

    output: Path
    devices: tuple[str, ...]
    threads: int = 1
    time_limit: float | None = None
    resume: bool = False
    overwrite: bool = False
