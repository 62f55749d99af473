"""Compares finished and unfinished searches: those that differ in nothing but their seed are one group."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..asktell.curves import SearchCurve, Spread, mean_curve, spread
from ..domain import Metric
from ..errors import ResultsFileError, UsageError
from ..planning.metric_names import find_metric
from .history import SearchHistory
from .outcome import SearchOutcome, TableSummary, find_outcome, mean_regret_curve


@dataclass(frozen=True)
class OpenTable:
    """The table of a search space, by one metric.

    Attributes:
        summary: What it says of all architectures.
        value: Gives the value of one of them, NaN where there is none.
    """

    summary: TableSummary
    value: Callable[[str], float]


Tables = Callable[[str, Metric], OpenTable | None]
"""Opens the table of a search space, None if it is not at hand or lacks the metric."""


@dataclass(frozen=True)
class SearchGroup:
    """Searches that differ in nothing but their seed.

    Attributes:
        outcomes: What they found, by seed.
        metric: What measures it, None if the files have no ground truth.
    """

    outcomes: tuple[SearchOutcome, ...]
    metric: Metric | None

    @property
    def first(self) -> SearchHistory:
        """One of the searches."""
        return self.outcomes[0].history

    @property
    def value(self) -> Spread | None:
        """The table's value of what was found."""
        return spread([outcome.value for outcome in self.outcomes])

    @property
    def rank(self) -> Spread | None:
        """Its rank in the table."""
        return spread([outcome.rank for outcome in self.outcomes])

    @property
    def regret(self) -> Spread | None:
        """How much better the table's best, or the optimum that it knows, is."""
        return spread([outcome.regret for outcome in self.outcomes])

    @property
    def optimum(self) -> float | None:
        """What regret is measured from, None if it is the table's best."""
        table = self.outcomes[0].table
        return None if table is None else table.optimum

    @property
    def evaluations(self) -> tuple[int, int]:
        """Fewest and most evaluations of a search."""
        counts = [outcome.evaluations for outcome in self.outcomes]
        return min(counts), max(counts)

    @property
    def architectures(self) -> float:
        """Mean number of different architectures that a search scored."""
        return statistics.fmean(outcome.architectures for outcome in self.outcomes)

    @property
    def seconds(self) -> float:
        """Mean seconds that the jobs of a search took, all workers together."""
        return statistics.fmean(_seconds(outcome.history) for outcome in self.outcomes)

    @property
    def shows_regret(self) -> bool:
        """Whether ``curve`` is one of regret."""
        return any(outcome.regret is not None for outcome in self.outcomes)

    def curve(self) -> list[Spread | None]:
        """Return the mean regret after each evaluation; where the table does not tell, that of the best score."""
        if self.shows_regret:
            return mean_regret_curve(self.outcomes)
        return mean_curve([_best_scores(outcome.history) for outcome in self.outcomes])


def group_searches(histories: Sequence[SearchHistory], metric: str | None, tables: Tables) -> list[SearchGroup]:
    """Put searches that differ in their seed only together, in the order in which they come.

    Args:
        histories: The searches.
        metric: Ground truth that measures what was found, as in :func:`find_metric`; None for each file's first.
        tables: Gives tables.

    Raises:
        UsageError: A file has no such metric, two files hold the same search, or searches of one group were measured
            with different metrics.
        ResultsFileError: A search was measured with another table than the one at hand.
    """
    together: dict[str, list[SearchHistory]] = {}
    for history in histories:
        together.setdefault(replace(history.header, seed=0).search_id, []).append(history)
    return [_make_group(group, metric, tables) for group in together.values()]


def _make_group(histories: Sequence[SearchHistory], metric: str | None, tables: Tables) -> SearchGroup:
    by_seed = sorted(histories, key=lambda history: history.header.seed)
    seeds = [history.header.seed for history in by_seed]
    twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    header = by_seed[0].header
    if twice is not None:
        raise UsageError(
            f"Two files hold the same search ({header.strategy} on {header.space} with {header.evaluator.label}, seed "
            f"{twice}), which would count twice. Leave one out."
        )
    metrics = {_choose_metric(history, metric) for history in by_seed}
    if len(metrics) > 1:
        named = " and ".join(sorted(each.key if each else "nothing" for each in metrics))
        raise UsageError(
            f"Searches that differ in their seed only ({header.strategy} on {header.space}) were measured with {named}."
            " Name one metric that all have with --metric."
        )
    (chosen,) = metrics
    table = tables(header.space, chosen) if chosen else None
    known = table.summary if table else None
    summary = TableSummary(chosen, ()) if chosen and known is None else known
    outcomes = tuple(find_outcome(history, summary) for history in by_seed)
    for outcome in outcomes:
        _check_same_table(outcome, table)
    return SearchGroup(outcomes, chosen)


def _choose_metric(history: SearchHistory, text: str | None) -> Metric | None:
    metrics = [column.metric for column in history.results.ground_truth]
    return find_metric(text, metrics, history.header.dataset) if text else next(iter(metrics), None)


def _check_same_table(outcome: SearchOutcome, table: OpenTable | None) -> None:
    """Refuse to measure by a table what was found with another: the regret would be none."""
    if table is None or outcome.best is None or math.isnan(outcome.value):
        return
    value = table.value(outcome.best.arch_id)
    if not math.isclose(value, outcome.value, rel_tol=1e-9):
        header = outcome.history.header
        raise ResultsFileError(
            f"The search with seed {header.seed} ({header.strategy} on {header.space}) was measured with another table "
            f"than the one at hand: '{outcome.best.arch_id}' has {outcome.value:.10g} in its file, {value:.10g} now. "
            "Search again, or bring back that table."
        )


def _seconds(history: SearchHistory) -> float:
    return sum(float(part.records.total_seconds.sum()) for part in history.results.evaluators)


def _best_scores(history: SearchHistory) -> SearchCurve:
    scores = [None if at is None else history.steps[at].record.score for at in history.incumbents()]
    return SearchCurve(scores, history.exhausted)
