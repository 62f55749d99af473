"""A search, fixed before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..asktell.strategy import StrategySpec
from ..descriptions import DatasetInfo, WeightSharingInfo
from ..interfaces import SearchSpace
from ..plan import EvaluatorSpec, GroundTruthColumn
from .history import SearchHeader
from .outcome import TableSummary


@dataclass(frozen=True)
class SearchPlan:
    """What searches for what, how long.

    Attributes:
        header: Names, settings and seed.
        space: The search space.
        strategy: Proposes architectures of the space.
        evaluators: Those of the header in its order; the score of the first is the fitness.
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
    strategy: StrategySpec
    evaluators: tuple[EvaluatorSpec, ...]
    evaluations: int
    ground_truth: Callable[[Sequence[str]], tuple[GroundTruthColumn, ...]]
    images: DatasetInfo | None = None
    table: TableSummary | None = None

    @property
    def trains_supernet(self) -> bool:
        """Whether the strategy trains a supernet, and the evaluations are its epochs."""
        return isinstance(self.strategy.info, WeightSharingInfo)
