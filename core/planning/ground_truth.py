"""Looks architectures up in the table of their search space."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.data_home import how_to_get
from ..descriptions import SearchSpaceInfo
from ..errors import UsageError
from ..interfaces import SearchSpace
from ..plan import GroundTruthColumn
from ..plugin_manager import Provided
from .metric_names import by_relevance, find_metric


def compared_space(space: SearchSpace, dataset: str, metric_text: str | None) -> SearchSpace:
    """Return a search space whose samples can be compared by the metric that the user named, if any.

    Raises:
        UsageError: Its table has no such metric.
    """
    table = space.ground_truth() if metric_text is not None else None
    if table is None or metric_text is None:
        return space
    return space.compared_by(find_metric(metric_text, table.metrics, dataset))


def ground_truth_columns(
    space: SearchSpace,
    provided: Provided[SearchSpaceInfo],
    arch_ids: Sequence[str],
    dataset: str,
    metric_text: str | None,
) -> tuple[GroundTruthColumn, ...]:
    """Look architectures up in the space's table: one column a metric, the chosen or else the most relevant first.

    Returns:
        No column if there is no table.

    Raises:
        UsageError: There is no such metric.
    """
    table = space.ground_truth()
    if table is None:
        if metric_text is not None:
            raise UsageError(f"There is no metric '{metric_text}': {_no_ground_truth(provided.info)}")
        return ()
    metrics = by_relevance(table.metrics, dataset)
    if metric_text is not None:
        chosen = find_metric(metric_text, table.metrics, dataset)
        metrics = [chosen, *(metric for metric in metrics if metric != chosen)]
    return tuple(
        GroundTruthColumn(
            metric, tuple(table.values(metric, arch_ids)), table.noise_ceiling(metric), provided.distribution
        )
        for metric in metrics
    )


def why_not_compared(info: SearchSpaceInfo, dataset: str | None) -> str:
    """Return why a space has no ground truth here, or none of a data set; empty if it has.

    Args:
        info: The space.
        dataset: Name of the data set, None for any.
    """
    table = info.create().ground_truth()
    if table is None:
        return f"There is no ground truth: {_no_ground_truth(info)}"
    held = dict.fromkeys(metric.dataset for metric in table.metrics)
    if dataset is None or dataset in held:
        return ""
    remedy = f" {how_to_get(info.requires)}" if info.requires else ""
    return f"The table of '{info.name}' that is here has results on {', '.join(held)}, and none on '{dataset}'.{remedy}"


def _no_ground_truth(info: SearchSpaceInfo) -> str:
    if info.requires is None:
        return f"the search space '{info.name}' has no ground truth."
    return f"the table of '{info.name}' is not at hand. {how_to_get(info.requires)}"
