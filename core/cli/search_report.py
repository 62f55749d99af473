"""``nasbench search-report``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from .tables import print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..asktell.curves import Spread
    from ..domain import Metric
    from ..search.comparison import OpenTable, SearchGroup

CURVE_TABLE = ".csv"


@click.command("search-report")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--metric", metavar="NAME", help="Ground truth that measures what was found.  [default: each file's first]"
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the regret after each evaluation: .svg, .png or .pdf; .csv for its numbers.",
)
@click.option("--overwrite", is_flag=True, help="Replace the plot if it exists.")
@click.option(
    "--format",
    "-f",
    "output_format",
    type=click.Choice(["table", "csv", "json", "latex"]),
    default="table",
    show_default=True,
    help="Form of the output.",
)
def search_report_command(
    files: tuple[Path, ...], metric: str | None, plot: Path | None, overwrite: bool, output_format: str
) -> None:
    """Compare searches, over seeds, and plot what they found when.

    FILE is what 'nasbench search' wrote, finished or not. Searches that differ in their seed only become one row:
    mean and sample standard deviation of the ground truth of what they found, its rank in the table and its regret,
    the value of the table's best minus that.
    """
    from ..pictures.files import SUFFIXES, check_suffix, refuse_existing
    from ..search.comparison import group_searches
    from ..search.storage import read_search
    from .progress import track

    if plot:
        check_suffix(plot, (*SUFFIXES, CURVE_TABLE))
    if plot and not overwrite:
        refuse_existing(plot)
    histories = [read_search(file) for file in track(files, len(files), "files")]
    empty = next((file for file, history in zip(files, histories, strict=True) if not history.steps), None)
    if empty is not None:
        raise UsageError(f"The search in '{empty}' has no evaluation yet. Continue it with --resume, or leave it out.")
    groups = group_searches(histories, metric, _Tables())
    _print_groups(groups, output_format)
    if plot:
        _draw(groups, plot)
        click.echo(f"Plot: {plot}", err=True)


class _Tables:
    """Reads each table once."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], OpenTable | None] = {}

    def __call__(self, space: str, metric: Metric) -> OpenTable | None:
        """Open the space's table, None if it is not at hand or lacks the metric."""
        from ..plugin_manager import installed_plugins
        from ..search.comparison import OpenTable
        from ..search.outcome import TableSummary

        key = (space, metric.key)
        if key not in self._read:
            provided = installed_plugins().search_spaces().get(space)
            table = provided.info.create().ground_truth() if provided else None
            self._read[key] = None
            if table is not None and metric in table.metrics:
                summary = TableSummary.read(table, metric)
                self._read[key] = OpenTable(summary, lambda arch_id: table.values(metric, [arch_id])[0])
        return self._read[key]


def _print_groups(groups: Sequence[SearchGroup], output_format: str) -> None:
    if output_format in ("csv", "json"):
        print_rows([_for_machines(group) for group in groups], output_format)
        return
    shared, rows = _split_off_shared([_for_people(group) for group in groups])
    if output_format == "latex":
        import tabulate

        click.echo(tabulate.tabulate(rows, headers="keys", tablefmt="latex_booktabs", disable_numparse=True))
    else:
        print_rows(rows, "table")
    if shared:
        click.echo("All: " + "; ".join(f"{key} {text}" for key, text in shared.items()), err=output_format == "latex")


def _split_off_shared(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Take out what several rows have in common, so that the rest fits on a line; figures and strategies stay."""
    shared = {key: rows[0][key] for key in ("space", "evaluator", "measured with") if _is_shared(key, rows)}
    return shared, [{key: text for key, text in row.items() if key not in shared} for row in rows]


def _is_shared(key: str, rows: list[dict[str, Any]]) -> bool:
    return all(row[key] == rows[0][key] for row in rows)


def _for_people(group: SearchGroup) -> dict[str, Any]:
    header, unit = group.first.header, group.metric.unit if group.metric else ""
    fewest, most = group.evaluations
    return {
        "space": header.space,
        "evaluator": header.evaluator.label,
        "strategy": _strategy(group),
        "seeds": len(group.outcomes),
        "evaluations": str(most) if fewest == most else f"{fewest} to {most}",
        "truth": _with_deviation(group.value, group),
        "rank": _with_deviation(group.rank, group),
        "regret": _with_deviation(group.regret, group),
        "measured with": f"{group.metric.key}, {unit}" if group.metric else "-",
    }


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
        "strategy": _strategy(group),
        "parallel": header.parallel,
        "seeds": len(group.outcomes),
        "fewest_evaluations": group.evaluations[0],
        "most_evaluations": group.evaluations[1],
        "metric": group.metric and group.metric.key,
        "unit": group.metric and group.metric.unit,
        **figures,
        "architectures": group.architectures,
        "seconds": group.seconds,
    }


def _strategy(group: SearchGroup) -> str:
    """Return the strategy with those of its settings that are not its defaults, and what else makes groups differ."""
    from ..plugin_manager import installed_plugins

    header = group.first.header
    provided = installed_plugins().search_strategies().get(header.strategy)
    defaults = provided.info.settings().effective() if provided else {}
    own = {name: value for name, value in header.strategy_settings.items() if defaults.get(name) != value}
    text = header.strategy + (f":{','.join(f'{name}={value}' for name, value in own.items())}" if own else "")
    limits = [f"{cost.name} <= {cost.limit:.10g}" for cost in header.costs if cost.limit is not None]
    minimized = [f"least {cost.name}" for cost in header.minimized]
    together = [f"{header.parallel} at a time"] if header.parallel > 1 else []
    return ", ".join([text, *limits, *minimized, *together])


def _with_deviation(value: Spread | None, group: SearchGroup) -> str:
    if value is None:
        return "-"
    deviation = "" if value.deviation is None else f" +- {value.deviation:.2g}"
    searches = len(group.outcomes)
    return f"{value.mean:.4g}{deviation}" + ("" if value.count == searches else f" ({value.count} of {searches})")


def _draw(groups: Sequence[SearchGroup], path: Path) -> None:
    kinds = {_plotted(group) for group in groups}
    if len(kinds) > 1:
        raise UsageError(
            f"These searches cannot be in one plot, which would show {' and '.join(sorted(kinds))}. Plot them apart."
        )
    if path.suffix.lower() == CURVE_TABLE:
        _write_curves(groups, path)
        return
    from ..pictures.curves import Curve, draw_curves

    (plotted,) = kinds
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
        "strategy": _strategy,
    }
    telling = [part(group) for part in parts.values() if len({part(each) for each in groups}) > 1]
    return ", ".join(telling or [_strategy(group)]) + f" (n = {len(group.outcomes)})"


def _standard_error(point: Spread | None) -> float:
    if point is None or point.deviation is None:
        return math.nan
    return point.deviation / math.sqrt(point.count)


def _write_curves(groups: Sequence[SearchGroup], path: Path) -> None:
    import pandas as pd

    from ..results.whole_files import write_whole

    rows = [
        {
            "space": group.first.header.space, "evaluator": group.first.header.evaluator.label,
            "strategy": _strategy(group), "quantity": "regret" if group.shows_regret else "best score",
            "evaluations": number, "mean": point and point.mean, "deviation": point and point.deviation,
            "seeds": point.count if point else 0,
        }
        for group in groups
        for number, point in enumerate(group.curve(), start=1)
    ]  # fmt: skip
    text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    write_whole(path, text.encode(), "Make room, or choose another file.")
