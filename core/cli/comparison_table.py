"""Compares groups of searches in one table."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..documents.document import Document
from ..documents.records import make_grid
from ..settings import PRESET

if TYPE_CHECKING:
    from ..asktell.curves import Spread
    from ..descriptions import SearchStrategyInfo
    from ..search.comparison import SearchGroup


def comparison_document(groups: Sequence[SearchGroup]) -> Document:
    """Describe what groups of searches found: one row a group, what all have in common below."""
    shared, rows = _split_off_shared([_for_people(group) for group in groups])
    records = [_for_machines(group) for group in groups]
    notes = ["All: " + "; ".join(f"{key} {text}" for key, text in shared.items())] if shared else []
    return Document(blocks=(make_grid(rows),), records=records, content=records, notes=notes)


def _split_off_shared(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Take out what several rows have in common, so that the rest fits on a line; figures and strategies stay."""
    shared = {key: rows[0][key] for key in ("space", "evaluator", "measured with") if _is_shared(key, rows)}
    return shared, [{key: text for key, text in row.items() if key not in shared} for row in rows]


def _is_shared(key: str, rows: list[dict[str, Any]]) -> bool:
    return all(row[key] == rows[0][key] for row in rows)


def _for_people(group: SearchGroup) -> dict[str, Any]:
    header = group.first.header
    fewest, most = group.evaluations
    return {
        "space": header.space,
        "evaluator": header.evaluator.label,
        "strategy": strategy_of(group),
        "seeds": len(group.outcomes),
        "evaluations": str(most) if fewest == most else f"{fewest} to {most}",
        "truth": _with_deviation(group.value, group),
        "rank": _with_deviation(group.rank, group),
        "regret": _with_deviation(group.regret, group),
        "measured with": _measure(group),
    }


def _measure(group: SearchGroup) -> str:
    if group.metric is None:
        return "-"
    optimum = "" if group.optimum is None else f", regret from {group.optimum:.6g}"
    return ", ".join(filter(None, (group.metric.key, group.metric.unit))) + optimum


def _for_machines(group: SearchGroup) -> dict[str, Any]:
    header = group.first.header
    spreads = {"ground_truth": group.value, "rank": group.rank, "regret": group.regret}
    figures = {
        f"{name}{suffix}": getattr(value, attribute, None)
        for name, value in spreads.items()
        for suffix, attribute in (("", "mean"), ("_deviation", "deviation"))
    }
    return {
        "space": header.space,
        "dataset": header.dataset,
        "evaluator": header.evaluator.label,
        "strategy": strategy_of(group),
        "parallel": header.parallel,
        "seeds": len(group.outcomes),
        "fewest_evaluations": group.evaluations[0],
        "most_evaluations": group.evaluations[1],
        "metric": group.metric and group.metric.key,
        "unit": group.metric and group.metric.unit,
        "optimum": group.optimum,
        **figures,
        "architectures": group.architectures,
        "seconds": group.seconds,
    }


def strategy_of(group: SearchGroup) -> str:
    """Return the strategy with those of its settings that are not its defaults, and what else makes groups differ."""
    from ..plugin_manager import installed_plugins

    header = group.first.header
    provided = installed_plugins().search_strategies().get(header.strategy)
    own = own_settings(provided.info, header.strategy_settings) if provided else header.strategy_settings
    text = header.strategy + (f":{','.join(f'{name}={value}' for name, value in own.items())}" if own else "")
    limits = [f"{cost.name} <= {cost.limit:.10g}" for cost in header.costs if cost.limit is not None]
    minimized = [f"least {cost.name}" for cost in header.minimized]
    together = [f"{header.parallel} at a time"] if header.parallel > 1 else []
    return ", ".join([text, *limits, *minimized, *together])


def own_settings(info: SearchStrategyInfo, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings that differ from the defaults, or fewer from those of a preset, and then the preset."""
    preset = typing.get_type_hints(info.settings).get(PRESET)
    named = [{}, *({PRESET: name} for name in typing.get_args(preset))]
    ways = []
    for given in named:
        defaults = info.effective_settings(info.parse_settings(given))
        ways.append(given | {name: value for name, value in values.items() if defaults.get(name) != value})
    return min(ways, key=len)


def _with_deviation(value: Spread | None, group: SearchGroup) -> str:
    if value is None:
        return "-"
    deviation = "" if value.deviation is None else f" +- {value.deviation:.2g}"
    searches = len(group.outcomes)
    return f"{value.mean:.4g}{deviation}" + ("" if value.count == searches else f" ({value.count} of {searches})")
