"""The report of searches: their comparison, and what they had found when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .comparison_table import comparison_document, strategy_of

if TYPE_CHECKING:
    from ...reports.figures.regret import SearchProgress
    from ...reports.report import Report
    from ..search.comparison import SearchGroup


def search_report(groups: Sequence[SearchGroup]) -> Report:
    """Describe groups of searches in full."""
    from ...reports.figures.regret import regret_figures
    from ...reports.report import Report

    return Report(
        title=f"Searches of {', '.join(_distinct(group.first.header.space for group in groups))}",
        document=comparison_document(groups),
        facts=_facts(groups),
        figures=regret_figures([_progress(group, groups) for group in groups]),
    )


def _facts(groups: Sequence[SearchGroup]) -> dict[str, str]:
    from ...reports.run_report import machine_facts

    histories = [outcome.history for group in groups for outcome in group.outcomes]
    headers = [history.header for history in histories]
    sources = [column.source for history in histories for column in history.results.ground_truth]
    facts = {
        "Search space": _distinct(f"{each.space} ({each.versions[0]})" for each in headers),
        "Data set": _distinct(f"{each.dataset} ({each.versions[1]})" for each in headers),
        "Evaluator": _distinct(each.evaluator.label for each in headers),
        "Strategy": _distinct(f"{strategy_of(group)} ({group.first.header.versions[2]})" for group in groups),
        "Seeds": _distinct(str(each.seed) for each in sorted(headers, key=lambda header: header.seed)),
        "Measured with": _distinct(group.metric.key for group in groups if group.metric),
        "Ground truth from": _distinct(sources),
    }
    # Searches of one comparison are of one make as a rule; the first stands for all.
    return {name: "; ".join(texts) for name, texts in facts.items() if texts} | machine_facts(
        histories[0].results.environment
    )


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _progress(group: SearchGroup, groups: Sequence[SearchGroup]) -> SearchProgress:
    from ...reports.figures.regret import SearchProgress

    points = group.curve()
    return SearchProgress(
        label=_legend(group, groups),
        quantity=_quantity(group),
        is_regret=group.shows_regret,
        means=[None if point is None else point.mean for point in points],
        errors=[
            None if point is None or point.deviation is None else point.deviation / point.count**0.5 for point in points
        ],
    )


def _quantity(group: SearchGroup) -> str:
    """Say what the curve of a group is of; curves of different things share no chart."""
    if group.shows_regret and group.metric:
        return f"regret ({group.metric.unit}; {group.metric.quantity}, {group.metric.dataset})"
    return f"best score ({group.first.header.evaluator.label})"


def _legend(group: SearchGroup, groups: Sequence[SearchGroup]) -> str:
    """Name what tells a group from the others."""
    parts = {
        "space": lambda each: each.first.header.space,
        "evaluator": lambda each: each.first.header.evaluator.label,
        "strategy": strategy_of,
    }
    telling = [part(group) for part in parts.values() if len({part(each) for each in groups}) > 1]
    return ", ".join(telling or [strategy_of(group)]) + f" (n = {len(group.outcomes)})"
