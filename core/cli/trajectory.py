"""Prints what a strategy that trains a supernet derived after each epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..search.outcome import SearchOutcome

# Figures that people see in the table, and what they are called there; all are in JSON.
SHOWN = {"train_loss": "loss", "one_shot_accuracy": "one-shot %"}


def trajectory_for_machines(outcome: SearchOutcome) -> list[dict[str, Any]]:
    """Return a record an epoch, with everything; empty where no supernet is trained."""
    trajectory = outcome.history.trajectory
    if trajectory is None:
        return []
    return [
        {
            "epoch": number,
            "architecture": step.arch_id,
            "derived": epoch.chosen,
            "skips": epoch.skips,
            "zeros": epoch.zeros,
            "ground_truth": None if math.isnan(value) else value,
            "seconds": epoch.seconds,
            **epoch.figures,
        }
        for number, (epoch, step, value) in enumerate(
            zip(trajectory.epochs, outcome.history.steps, outcome.step_values, strict=False), start=1
        )
    ]


def trajectory_for_people(outcome: SearchOutcome, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return some of the epochs, by their positions: what was derived, and how good it really is."""
    records, table = trajectory_for_machines(outcome), outcome.table
    truth = "truth" if table is None else table.metric.quantity
    return [
        {
            "epoch": record["epoch"],
            **{title: _short(record, name) for name, title in SHOWN.items() if name in record},
            truth: _short(record, "ground_truth"),
            "skips": record["skips"],
            "none": record["zeros"],
            "architecture": record["architecture"],
        }
        for record in (records[row] for row in rows if row < len(records))
    ]


def what_was_chosen(outcome: SearchOutcome) -> dict[str, Any]:
    """Say what the strategy chose where the space does not have it, and that what was found stands in for it."""
    trajectory = outcome.history.trajectory
    if trajectory is None or not trajectory.epochs:
        return {}
    last = trajectory.epochs[-1]
    if last.chosen == last.architecture:
        return {}
    return {"chosen": f"{last.chosen} (not in the space, which has a part of all cells: the most probable one that is)"}


def _short(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    return "-" if value is None else f"{value:.4g}"
