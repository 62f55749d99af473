"""Prints what searches found: for people what matters, for machines everything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .tables import print_document
from .trajectory import trajectory_for_machines, trajectory_for_people, what_was_chosen

if TYPE_CHECKING:
    from ..asktell.curves import Spread
    from ..interfaces import SearchSpace
    from ..search.costs import Cost
    from ..search.history import Step
    from ..search.outcome import SearchOutcome, TableSummary

# Where a table of regret stops; one more row shows the end.
CHECKPOINTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)

# Numbers up to this one are written out; whole ones above have no digit behind the point either way.
_LARGEST_WHOLE = 1e15

# What of a search has no place on one line.
CURVES = ("front", "ground_truth_curve", "regret_curve", "trajectory")


def print_outcomes(
    space: SearchSpace, outcomes: Sequence[SearchOutcome], files: Sequence[Path], output_format: str
) -> None:
    """Print the searches of one plan, which differ in nothing but their seed.

    Args:
        space: What was searched.
        outcomes: What they found.
        files: Their results files.
        output_format: Its name; CSV has one line a search, JSON also what it found when.
    """
    from ..documents.document import Document
    from ..documents.records import describe_blocks

    shown = _one_for_people(space, outcomes[0]) if len(outcomes) == 1 else _several_for_people(space, outcomes)
    content = _for_machines(space, outcomes, files)
    records = [{key: search[key] for key in search if key not in CURVES} for search in content["searches"]]
    print_document(Document(describe_blocks(shown), records, content), output_format)


def _for_machines(space: SearchSpace, outcomes: Sequence[SearchOutcome], files: Sequence[Path]) -> dict[str, Any]:
    from ..asktell.curves import spread
    from ..search.outcome import mean_regret_curve

    header, table = outcomes[0].history.header, outcomes[0].table
    return {
        "space": header.space,
        "dataset": header.dataset,
        "evaluator": header.evaluator.label,
        "direction": str(header.evaluator.direction),
        "strategy": header.strategy,
        "strategy_settings": dict(header.strategy_settings),
        "parallel": header.parallel,
        "limits": {cost.name: cost.limit for cost in header.costs if cost.limit is not None},
        "minimize": [cost.name for cost in header.minimized],
        "metric": table and {
            "key": table.metric.key, "unit": table.metric.unit, "direction": str(table.metric.direction),
            "best": table.best, "optimum": table.optimum, "architectures": len(table.values) or None,
        },
        "searches": [_search_for_machines(space, outcome, file) for outcome, file in zip(outcomes, files, strict=True)],
        "over_seeds": {
            "ground_truth": _spread_for_machines(spread([outcome.value for outcome in outcomes])),
            "rank": _spread_for_machines(spread([outcome.rank for outcome in outcomes])),
            "regret": _spread_for_machines(spread([outcome.regret for outcome in outcomes])),
            "regret_curve": [_spread_for_machines(point) for point in mean_regret_curve(outcomes)],
        },
    }  # fmt: skip


def _search_for_machines(space: SearchSpace, outcome: SearchOutcome, file: Path) -> dict[str, Any]:
    best = outcome.best
    return {
        "seed": outcome.history.header.seed,
        "file": str(file),
        "architecture": best and best.arch_id,
        "description": best and space.describe(best.arch_id),
        "score": best and _known(best.record.score),
        "evaluation": outcome.best_evaluation,
        "ground_truth": _known(outcome.value),
        "rank": outcome.rank,
        "regret": outcome.regret,
        "evaluations": outcome.evaluations,
        "architectures": outcome.architectures,
        "failures": outcome.failures,
        "refused": outcome.refused,
        "evaluations_by_fidelity": outcome.evaluations_by_fidelity,
        "costs": best and _costs(outcome, best),
        "front": [
            {
                "architecture": member.step.arch_id,
                "score": member.step.record.score,
                "costs": _costs(outcome, member.step),
                "ground_truth": _known(member.value),
            }
            for member in outcome.front
        ],
        "ground_truth_curve": [_known(value) for value in outcome.curve],
        "regret_curve": outcome.regret_curve,
        **({} if outcome.history.trajectory is None else {"trajectory": trajectory_for_machines(outcome)}),
    }


def _costs(outcome: SearchOutcome, step: Step) -> dict[str, float | None]:
    names = [cost.name for cost in outcome.history.header.costs]
    return {name: _known(value) for name, value in zip(names, step.costs, strict=True)}


def _spread_for_machines(spread: Spread | None) -> dict[str, Any] | None:
    return None if spread is None else {"mean": spread.mean, "deviation": spread.deviation, "searches": spread.count}


def _one_for_people(space: SearchSpace, outcome: SearchOutcome) -> dict[str, Any]:
    best, header = outcome.best, outcome.history.header
    better = f"{header.evaluator.label}, {header.evaluator.direction}"
    trains = outcome.history.trajectory is not None
    found = "derived after the last epoch" if trains else f"first at evaluation {outcome.best_evaluation}"
    record: dict[str, Any] = {
        "architecture": best and best.arch_id,
        **_description(space, outcome),
        **what_was_chosen(outcome),
        "score": best and f"{_number(best.record.score)} ({better}; {found})",
        "epochs" if trains else "evaluations": f"{outcome.evaluations}, of {outcome.architectures} architectures",
        "failures": outcome.failures,
        **_costs_for_people(outcome),
        **_truth_for_people(outcome),
    }
    if trains:
        record["derived so far"] = trajectory_for_people(outcome, _checkpoints(outcome.evaluations))
    if header.minimized:
        record["Pareto front"] = _front_for_people(outcome) or None
    return record


def _description(space: SearchSpace, outcome: SearchOutcome) -> dict[str, str]:
    """Say in words what was found, where the space has other words than the architecture's text."""
    arch_id = "" if outcome.best is None else outcome.best.arch_id
    words = arch_id and space.describe(arch_id)
    return {} if words == arch_id else {"what it is": words}


def _costs_for_people(outcome: SearchOutcome) -> dict[str, Any]:
    """Say what is of interest only where costs or fidelities are at play."""
    header, best = outcome.history.header, outcome.best
    record: dict[str, Any] = {}
    if header.lower:
        counts = outcome.evaluations_by_fidelity
        record["by fidelity"] = [{"evaluator": label, "evaluations": count} for label, count in counts.items()]
    if any(cost.limit is not None for cost in header.costs):
        record["refused"] = f"{outcome.refused} (above a limit; not counted as evaluations)"
    for cost, value in zip(header.costs, best.costs if best else (), strict=best is not None):
        limit = "" if cost.limit is None else f" (at most {_exact(cost.limit)})"
        record[cost.name] = f"{_with_unit_of(cost, value)}{limit}"
    return record


def _with_unit_of(cost: Cost, value: float) -> str:
    unit = cost.metric.unit if cost.metric else cost.evaluator and _unit_of(cost.evaluator.name)
    return f"{_exact(value)} {unit}" if unit and not math.isnan(value) else _exact(value)


def _unit_of(evaluator: str) -> str:
    """Return the unit of an evaluator's score, empty if it has none or the evaluator is not installed any more."""
    from ..plugin_manager import installed_plugins

    provided = installed_plugins().evaluators().get(evaluator)
    return provided.info.unit if provided else ""


def _front_for_people(outcome: SearchOutcome) -> list[dict[str, Any]]:
    header, table = outcome.history.header, outcome.table
    return [
        {cost.name: _exact(member.step.costs[header.costs.index(cost)]) for cost in header.minimized}
        | {header.evaluator.label: _number(member.step.record.score)}
        | ({} if table is None else {table.metric.name: _number(member.value)})
        | {"architecture": member.step.arch_id}
        for member in outcome.front
    ]


def _exact(value: float) -> str:
    """Write a cost: sizes are whole numbers, of which every digit counts."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if value == round(value) and abs(value) < _LARGEST_WHOLE else f"{value:.10g}"


def _truth_for_people(outcome: SearchOutcome) -> dict[str, Any]:
    table = outcome.table
    if table is None:
        return {"ground truth": "none at hand"}
    unit = table.metric.unit
    record: dict[str, Any] = {"ground truth": f"{_with_unit(outcome.value, unit)} ({table.metric.key})"}
    if not table.values:
        return record
    record |= {
        _best_in_words(outcome): _with_unit(table.best, unit),
        **_optimum_for_people(table),
        "rank": outcome.rank and f"{outcome.rank:,} of {len(table.values):,}",
        "regret": _with_unit(outcome.regret, unit),
    }
    if outcome.history.trajectory is None:
        record["regret so far"] = [
            {"evaluations": row + 1, "regret": _number(outcome.regret_curve[row])}
            for row in _checkpoints(outcome.evaluations)
        ]
    return record


def _best_in_words(outcome: SearchOutcome) -> str:
    """Say which architectures of the table rank and regret are among."""
    costs = [cost for cost in outcome.history.header.costs if cost.limit is not None]
    if any(cost.evaluator for cost in costs):
        return "best of the table, above limits too"
    return "best within the limits" if costs else "best of the table"


def _optimum_for_people(table: TableSummary) -> dict[str, str]:
    return {} if table.optimum is None else {"regret from": _with_unit(table.optimum, table.metric.unit)}


def _several_for_people(space: SearchSpace, outcomes: Sequence[SearchOutcome]) -> dict[str, Any]:
    from ..search.outcome import mean_regret_curve

    table = outcomes[0].table
    curve = mean_regret_curve(outcomes) if table and table.values else []
    record: dict[str, Any] = {
        "evaluations": sorted({outcome.evaluations for outcome in outcomes}),
        **_truth_over_seeds(outcomes),
        "searches": [_row_for_people(outcome) for outcome in outcomes],
        "architectures found": [
            {
                "seed": outcome.history.header.seed,
                "architecture": outcome.best and outcome.best.arch_id,
                **_description(space, outcome),
            }
            for outcome in outcomes
        ],
    }
    if curve:
        record["regret so far"] = [
            {"evaluations": row + 1, "regret": _spread(curve[row], len(outcomes))} for row in _checkpoints(len(curve))
        ]
    return record


def _truth_over_seeds(outcomes: Sequence[SearchOutcome]) -> dict[str, Any]:
    from ..asktell.curves import spread

    table, searches = outcomes[0].table, len(outcomes)
    if table is None:
        return {"ground truth": "none at hand"}
    unit = table.metric.unit
    value = _spread(spread([outcome.value for outcome in outcomes]), searches)
    record = {"ground truth": f"{value} {unit} ({table.metric.key}; mean and sample deviation over seeds)"}
    if not table.values:
        return record
    return record | {
        _best_in_words(outcomes[0]): _with_unit(table.best, unit),
        **_optimum_for_people(table),
        "rank": f"{_spread(spread([outcome.rank for outcome in outcomes]), searches)} of {len(table.values):,}",
        "regret": f"{_spread(spread([outcome.regret for outcome in outcomes]), searches)} {unit}",
    }


def _row_for_people(outcome: SearchOutcome) -> dict[str, Any]:
    best = outcome.best
    return {
        "seed": outcome.history.header.seed,
        "score": best and _number(best.record.score),
        **_found_at(outcome),
        "truth": "-" if math.isnan(outcome.value) else _short(outcome.value),
        "rank": outcome.rank,
        "regret": outcome.regret if outcome.regret is None else _short(outcome.regret),
        "distinct": outcome.architectures,
        "failures": outcome.failures,
        **({"refused": outcome.refused} if outcome.history.header.costs else {}),
        **({"front": len(outcome.front)} if outcome.history.header.minimized else {}),
    }


def _found_at(outcome: SearchOutcome) -> dict[str, Any]:
    """Say when the best was found; of what a supernet led to, which is always the last, what it looks like."""
    trajectory = outcome.history.trajectory
    if trajectory is None:
        return {"found at": outcome.best_evaluation}
    last = trajectory.epochs[-1] if trajectory.epochs else None
    return {"skips": last and last.skips, "none": last and last.zeros}


def _checkpoints(length: int) -> list[int]:
    """Return the rows of a curve to show, its last one among them."""
    return sorted({*(number - 1 for number in CHECKPOINTS if number <= length), *range(length - 1, length)} - {-1})


def _spread(spread: Spread | None, searches: int) -> str:
    if spread is None:
        return "-"
    deviation = "" if spread.deviation is None else f" +- {_short(spread.deviation)}"
    known = "" if spread.count == searches else f" ({spread.count} of {searches} searches have one)"
    return f"{_short(spread.mean)}{deviation}{known}"


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def _with_unit(value: float | None, unit: str) -> str:
    number = _number(value)
    return number if number == "-" else f"{number} {unit}"


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.6g}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
