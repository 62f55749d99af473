"""Reads the files of searches and groups those that differ in their seed only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from .progress import track

if TYPE_CHECKING:
    from ..domain import Metric
    from ..search.comparison import OpenTable, SearchGroup


def read_groups(files: Sequence[Path], metric: str | None) -> list[SearchGroup]:
    """Read searches, finished or not, and group them.

    Args:
        files: Files that 'nasbench search' wrote.
        metric: Ground truth that measures what was found, None for each file's first.

    Raises:
        UsageError: A file has no such metric or no evaluation yet, or two files hold the same search.
        ResultsFileError: A file cannot be read, or was measured with another table than the one at hand.
    """
    from ..search.comparison import group_searches
    from ..search.storage import read_search

    histories = [read_search(file) for file in track(files, len(files), "files")]
    empty = next((file for file, history in zip(files, histories, strict=True) if not history.steps), None)
    if empty is not None:
        raise UsageError(f"The search in '{empty}' has no evaluation yet. Continue it with --resume, or leave it out.")
    return group_searches(histories, metric, _Tables())


class _Tables:
    """Reads each table once."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str, tuple[tuple[str, float], ...]], OpenTable | None] = {}

    def __call__(self, space: str, metric: Metric, limits: Sequence[tuple[Metric, float]]) -> OpenTable | None:
        """Open the space's table, None if it is not at hand or lacks the metric."""
        from ..plugin_manager import installed_plugins
        from ..search.comparison import OpenTable
        from ..search.outcome import TableSummary

        key = (space, metric.key, tuple((cost.key, limit) for cost, limit in limits))
        if key not in self._read:
            provided = installed_plugins().search_spaces().get(space)
            table = provided.info.create().ground_truth() if provided else None
            self._read[key] = None
            if table is not None and metric in table.metrics:
                summary = TableSummary.read(table, metric, limits)
                self._read[key] = OpenTable(summary, lambda arch_id: table.values(metric, [arch_id])[0])
        return self._read[key]
