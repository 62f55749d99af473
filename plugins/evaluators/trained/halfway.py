"""``halfway``: the accuracy that a table has for a shorter training.

Source: Ying et al., NAS-Bench-101, ICML 2019, whose searches look up networks trained for fewer epochs; Li et al.
(GenNAS, NeurIPS 2021, table 3, "Halfway"). Score: tabulated accuracy in percent; higher is better. Nothing is computed,
no image is seen, and the seed does not matter. The table says how it came about: in NAS-Bench-101 and NAS-Bench-201 a
shorter training has a whole learning-rate schedule of its own.

Which value: the accuracy that the run compares with, or that the user names. Where that is no accuracy, or nothing was
named, it is the first accuracy of its data set, or of the run's, or of the table. Of the same split, the epochs are the
most below its longest training, or those that the user names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo, SearchSpaceInfo
from ....core.domain import Direction, Metric
from ....core.errors import EvaluationError
from ....core.interfaces import Evaluator
from ....core.planning.metric_names import by_relevance, find_metric
from .settings import HalfwaySettings


def shorter_trainings(metrics: Sequence[Metric], dataset: str, named: Metric | None = None) -> list[Metric]:
    """Return the accuracy metrics below the longest training, fewest epochs first.

    Args:
        metrics: What the table has, its default first.
        dataset: Data set of the run.
        named: Metric whose shorter trainings, or those of its data set, are wanted.
    """
    accuracies = [
        metric
        for metric in by_relevance(metrics, dataset if named is None else named.dataset)
        if metric.quantity == "accuracy" and metric.direction is Direction.MAXIMIZE and metric.epochs is not None
    ]
    wanted = named if named in accuracies else next(iter(accuracies), None)
    alike = [metric for metric in accuracies if wanted is not None and _what(metric) == _what(wanted)]
    return sorted(alike, key=_epochs)[:-1]


def _what(metric: Metric) -> tuple[str, str]:
    return metric.dataset, metric.name


def _epochs(metric: Metric) -> int:
    return metric.epochs or 0


def why_unsupported(space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
    """Say what the space's table lacks, or None if it has a shorter training."""
    table = space.create().ground_truth()
    if table is None:
        return "it looks up a table of trained accuracies, and this space has none at hand"
    if not shorter_trainings(table.metrics, dataset.name):
        return "it looks up accuracies after a shorter training, and this space's table has one length of training only"
    return None


class Halfway(Evaluator[HalfwaySettings]):
    """Accuracy after a shorter training, from the space's table."""

    def _evaluate(self, context: EvaluationContext) -> float:
        table = context.space.ground_truth()
        shorter = [] if table is None else self._shorter(table.metrics, context.dataset.name)
        if table is None or not shorter:
            of_metric = f" than '{self.settings.metric}'" if self.settings.metric else ""
            raise EvaluationError(f"the search space has no table with accuracies after a shorter training{of_metric}")
        metric = self._choose(shorter)
        (value,) = table.values(metric, [context.key.arch_id])
        if math.isnan(value):
            raise EvaluationError(f"the table has no '{metric.key}' for this architecture")
        return value

    def _shorter(self, metrics: Sequence[Metric], dataset: str) -> list[Metric]:
        text = self.settings.metric
        return shorter_trainings(metrics, dataset, None if text is None else find_metric(text, metrics, dataset))

    def _choose(self, shorter: Sequence[Metric]) -> Metric:
        wanted = self.settings.epochs
        for metric in reversed(shorter):
            if wanted in (None, metric.epochs):
                return metric
        known = ", ".join(str(metric.epochs) for metric in shorter)
        raise EvaluationError(
            f"the table has no accuracy after {wanted} epochs; below its longest training it has {known}"
        )
