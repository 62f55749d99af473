"""Finds the metric that a user means: the whole key, or the part of it that is not in doubt."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain import Metric
from ..errors import UsageError, closest_matches


def find_metric(text: str, metrics: Sequence[Metric], dataset: str) -> Metric:
    """Return the metric that ``text`` names.

    Args:
        text: A key such as ``cifar10/test_accuracy@200``, or one without data set, epochs or both, such as
            ``test_accuracy``. A missing data set is ``dataset`` if the metric exists for it, missing epochs are
            the most; whatever is chosen is named in full wherever it is used.
        metrics: What there is to choose from.
        dataset: Data set of the run.

    Raises:
        UsageError: Nothing has this name, or several data sets have it and none is the run's.
    """
    found = [metric for metric in metrics if text in _spellings(metric)]
    if not found:
        known = [metric.key for metric in metrics]
        raise UsageError(f"Unknown metric '{text}'. {closest_matches(text, known)}There are: {', '.join(known)}.")
    same_dataset = [metric for metric in found if metric.dataset == dataset] or found
    if len({metric.dataset for metric in same_dataset}) > 1:
        raise UsageError(
            f"Metric '{text}' could be {' or '.join(metric.key for metric in same_dataset)}. Name one of them in full."
        )
    return max(same_dataset, key=lambda metric: metric.epochs or 0)


def is_metric(text: str, metrics: Sequence[Metric]) -> bool:
    """Whether ``text`` names one of the metrics, or several."""
    return any(text in _spellings(metric) for metric in metrics)


def by_relevance(metrics: Sequence[Metric], dataset: str) -> list[Metric]:
    """Put the metrics of the run's data set first, and keep their order otherwise: the first is the default."""
    return sorted(metrics, key=lambda metric: metric.dataset != dataset)


def _spellings(metric: Metric) -> set[str]:
    epochs = "" if metric.epochs is None else f"@{metric.epochs}"
    return {metric.key, f"{metric.dataset}/{metric.name}", f"{metric.name}{epochs}", metric.name}
