"""Plots what searches found when: regret, or the best score where no table tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .comparison_table import strategy_of

if TYPE_CHECKING:
    from ..asktell.curves import Spread
    from ..search.comparison import SearchGroup

CURVE_TABLE = ".csv"


def check_plot(path: Path, *, overwrite: bool) -> None:
    """Refuse a plot that could not be written, before anything is read.

    Raises:
        UsageError: Its suffix is no format of pictures, nor that of a table of its numbers.
        ResultsFileError: It exists and is not to be replaced.
    """
    from ..pictures.files import SUFFIXES, check_picture, refuse_existing

    check_picture(path, (*SUFFIXES, CURVE_TABLE))
    if not overwrite:
        refuse_existing(path)


def plot_comparison(groups: Sequence[SearchGroup], path: Path) -> None:
    """Draw one curve a group, mean and standard error over seeds; or write the numbers if the file is a .csv.

    Raises:
        UsageError: The curves would be of different things.
    """
    kinds = {_plotted(group) for group in groups}
    if len(kinds) > 1:
        raise UsageError(
            f"These searches cannot be in one plot, which would show {' and '.join(sorted(kinds))}. Plot them apart."
        )
    if path.suffix.lower() == CURVE_TABLE:
        _write_curves(groups, path)
    else:
        _draw_curves(groups, path, *kinds)
    click.echo(f"Plot: {path}", err=True)


def _draw_curves(groups: Sequence[SearchGroup], path: Path, plotted: str) -> None:
    from ..pictures.curves import Curve, draw_curves

    shows_regret = groups[0].shows_regret
    curves = []
    for group in groups:
        points = group.curve()
        means = [math.nan if point is None else point.mean for point in points]
        errors = [_standard_error(point) for point in points]
        band = {
            "low": [mean - error for mean, error in zip(means, errors, strict=True)],
            "high": [mean + error for mean, error in zip(means, errors, strict=True)],
        }
        curves.append(Curve(_legend(group, groups), range(1, len(points) + 1), means, **band))
    seeds = max(len(group.outcomes) for group in groups)
    draw_curves(
        path, curves, x_label="evaluations", logarithmic=shows_regret,
        y_label=plotted + ("\nmean ± standard error" if seeds > 1 else ""),
    )  # fmt: skip


def _plotted(group: SearchGroup) -> str:
    """Say what the curve of a group is of; curves of different things share no plot."""
    if group.shows_regret and group.metric:
        quantity = f"{group.metric.quantity}, {group.metric.dataset}"
        return f"regret ({group.metric.unit}; {quantity})"
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


def _standard_error(point: Spread | None) -> float:
    if point is None or point.deviation is None:
        return math.nan
    return point.deviation / math.sqrt(point.count)


def _write_curves(groups: Sequence[SearchGroup], path: Path) -> None:
    from ..documents.machine import render_csv
    from ..results.whole_files import write_whole

    rows = [
        {
            "space": group.first.header.space, "evaluator": group.first.header.evaluator.label,
            "strategy": strategy_of(group), "quantity": "regret" if group.shows_regret else "best score",
            "evaluations": number, "mean": point and point.mean, "deviation": point and point.deviation,
            "seeds": point.count if point else 0,
        }
        for group in groups
        for number, point in enumerate(group.curve(), start=1)
    ]  # fmt: skip
    write_whole(path, render_csv(rows).encode(), "Make room, or choose another file.")
