"""What an architecture costs: the score of an evaluator, or a metric of the space's table; less is always better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain import Metric
from ..plan import EvaluatorHeader
from ..results.contents import Results


@dataclass(frozen=True)
class Cost:
    """A cost that a search limits, minimises, or both.

    Attributes:
        evaluator: Its score is the cost, whichever end of its scale is the better one as a fitness; None for a metric.
        metric: The table's value is the cost; None for an evaluator.
        limit: Architectures above it are refused; None if there is no limit.
        minimized: Whether it is an objective beside the score.
    """

    evaluator: EvaluatorHeader | None
    metric: Metric | None
    limit: float | None
    minimized: bool

    @property
    def name(self) -> str:
        """What users read: the evaluator's label, or the metric's key."""
        return self.evaluator.label if self.evaluator else self.metric.key if self.metric else ""

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two costs the same quantity."""
        if self.evaluator:
            return self.evaluator.identity
        return "", self.name

    def as_json(self) -> dict[str, Any]:
        """Return it as the file of a search names it."""
        source = "evaluator" if self.evaluator else "metric"
        return {source: self.name, "limit": self.limit, "minimized": self.minimized}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any], results: Results) -> Cost:
        """Find it in the results that it belongs to.

        Raises:
            KeyError: They lack it.
            ValueError: It is no cost.
        """
        limit, minimized = entry["limit"], entry["minimized"]
        if not (limit is None or isinstance(limit, float | int)) or not isinstance(minimized, bool):
            raise ValueError("a cost has a limit that is no number, or is minimised in neither way")
        limit = None if limit is None else float(limit)
        if "evaluator" in entry:
            headers = {part.header.label: part.header for part in results.evaluators}
            return cls(headers[entry["evaluator"]], None, limit, minimized)
        metrics = {column.metric.key: column.metric for column in results.ground_truth}
        return cls(None, metrics[entry["metric"]], limit, minimized)

    def exceeds_limit(self, value: float) -> bool:
        """Whether an architecture of this cost, NaN if it has none, is refused."""
        return self.limit is not None and not value <= self.limit

    def excess(self, value: float) -> float:
        """Return the cost as a multiple of the limit, infinity without a cost, zero without a limit."""
        if self.limit is None:
            return 0.0
        return math.inf if math.isnan(value) else value / self.limit


def distinct(headers: Sequence[EvaluatorHeader]) -> tuple[EvaluatorHeader, ...]:
    """Return evaluators without those that an earlier one is already."""
    known: dict[tuple[str, str], EvaluatorHeader] = {}
    for header in headers:
        known.setdefault(header.identity, header)
    return tuple(known.values())


def metric_limits(costs: Sequence[Cost]) -> tuple[tuple[Metric, float], ...]:
    """Return the limits on metrics of the table, which say of all its architectures whether they are within."""
    return tuple((cost.metric, cost.limit) for cost in costs if cost.metric and cost.limit is not None)
