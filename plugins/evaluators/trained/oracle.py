"""``oracle``: the ground truth itself, from the space's table.

Source: what searches of tabular benchmarks maximise (Ying et al., NAS-Bench-101, ICML 2019). Score: the tabulated
value, times -1 where a lower one is better, so that higher is better for every metric. Nothing is computed, no image is
seen, and the seed does not matter.

Which value: the metric that the user names, else the one that a run compares with. Naming a validation metric here and
a test metric for the comparison keeps the two apart.
The values are the table's means over trainings; NAS-Bench-101's own searches draw one training at random instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo, SearchSpaceInfo
from ....core.domain import Metric
from ....core.errors import EvaluationError
from ....core.interfaces import Evaluator
from ....core.planning.metric_names import by_relevance, find_metric
from .settings import OracleSettings


def why_unsupported(space: SearchSpaceInfo, _dataset: DatasetInfo) -> str | None:
    """Say that the space has no table, or None if it has one."""
    if space.create().ground_truth() is None:
        return "it looks up a table of trained performance, and this space has none at hand"
    return None


class Oracle(Evaluator[OracleSettings]):
    """The ground truth, turned so that higher is better."""

    def _evaluate(self, context: EvaluationContext) -> float:
        # Opened once a worker: a large table takes longer to read than to look up.
        table = context.shared("table", lambda _: context.space.ground_truth())
        if table is None:
            raise EvaluationError("the search space has no table of trained performance")
        metric = self._choose(table.metrics, context.dataset.name)
        (value,) = table.values(metric, [context.key.arch_id])
        if math.isnan(value):
            raise EvaluationError(f"the table has no '{metric.key}' for this architecture")
        return metric.direction.sign * value

    def _choose(self, metrics: Sequence[Metric], dataset: str) -> Metric:
        if self.settings.metric is None:
            return by_relevance(metrics, dataset)[0]
        return find_metric(self.settings.metric, metrics, dataset)
