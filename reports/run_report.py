"""The report of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from . import wording
from .correlation import correlation_table
from .correlation_document import correlation_document
from .figures.agreement import agreement_figure
from .figures.correlations import correlations_figure
from .figures.cost import cost_figure
from .figures.errors import errors_figure, most_misjudged
from .figures.ranks import ranks_figure
from .figures.scores import scores_figure
from .figures.seconds import seconds_figure
from .figures.spaces import spaces_figure
from .figures.stops import stops_figure
from .report import Report
from .run_part import RunPart, labels_of, make_run_part
from .spaces import compare_runs
from .spaces_document import spaces_document

_VERSION = "version_"


def run_report(
    results: Results, metric_key: str | None, failures: str, aggregates: Sequence[AggregateSpec] = ()
) -> Report:
    """Describe a run in full: all that its table says, and every chart that its results allow.

    Arguments and errors are those of :func:`correlation_table`.
    """
    table = correlation_table(results, metric_key, failures, aggregates, further=True)
    return _report(make_run_part(results, table, metric_key, aggregates, labels_of([table])))


def runs_report(
    runs: Sequence[tuple[Results, Sequence[AggregateSpec]]], metric_key: str | None, failures: str
) -> Report:
    """Describe several runs, each with its aggregates: side by side, then each in full.

    Raises:
        UsageError: As :func:`correlation_table` and :func:`compare_runs`.
    """
    tables = [correlation_table(run, metric_key, failures, aggregates, further=True) for run, aggregates in runs]
    compared, order = compare_runs(tables), labels_of(tables)
    parts = [
        make_run_part(run, table, metric_key, aggregates, order)
        for (run, aggregates), table in zip(runs, tables, strict=True)
    ]
    return Report(
        title=f"{len(runs)} runs, on {', '.join(dict.fromkeys(table.plan.space for table in tables))}",
        document=spaces_document(compared),
        facts={},
        figures=tuple(figure for figure in (spaces_figure(compared), ranks_figure(compared)) if figure is not None),
        evaluators=order,
        parts=tuple(map(_report, parts)),
    )


def _report(part: RunPart) -> Report:
    figures = (
        correlations_figure(part), seconds_figure(part), scores_figure(part), errors_figure(part),
        stops_figure(part.curves), agreement_figure(part), cost_figure(part),
    )  # fmt: skip
    return Report(
        title=wording.title(part.table),
        document=correlation_document(part.table, pairwise=True),
        facts=_facts(part),
        figures=tuple(figure for figure in figures if figure is not None),
        evaluators=part.order,
        space=part.table.plan.space,
        arch_ids=_to_draw(part),
        subject=f"{part.table.plan.space} on {part.table.plan.dataset}",
    )


def _to_draw(part: RunPart) -> tuple[str, ...]:
    """Return the architectures in the order in which their cells matter: the most misjudged, then the best."""
    if part.selection.truth is None:
        return part.arch_ids
    order = np.argsort(-part.selection.truth, kind="stable")
    best = tuple(part.arch_ids[position] for position in order.tolist())
    return tuple(dict.fromkeys((*most_misjudged(part), *best)))


def _facts(part: RunPart) -> dict[str, str]:
    plan, table = part.table.plan, part.table
    sources = {row.evaluator.distribution for row in table.rows}
    return {
        "Search space": _with_version(plan.space, plan.space_version),
        "Data set": _with_version(plan.dataset, plan.dataset_version),
        "Architectures": f"{table.num_architectures:,} ({plan.sampling}); compared: {table.num_compared:,}",
        "Run seeds" if plan.further_seeds else "Run seed": ", ".join(map(str, plan.seeds)),
        **_truth_facts(part),
        "Evaluators": f"{len(part.entries)}, from {', '.join(sorted(sources))}",
        **machine_facts(part.results.environment),
        "Plan": part.table.plan_id,
    }


def _with_version(name: str, version: str) -> str:
    return f"{name} ({version})" if version else name


def _truth_facts(part: RunPart) -> dict[str, str]:
    metric, table = part.table.metric, part.table
    if metric is None:
        return {"Ground truth": "none"}
    about = ", ".join(filter(None, (str(metric.direction), metric.unit, metric.reduction)))
    ceiling = "not known" if table.noise_ceiling is None else f"{table.noise_ceiling:z.2f}"
    return {
        "Ground truth": f"{metric.key} ({about})", "Ground truth from": table.truth_source or "not known",
        "Noise ceiling": ceiling,
    }  # fmt: skip


def machine_facts(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a results file says of the machine and the software that it was made with."""
    known = dict(environment)
    versions = [f"{name.removeprefix(_VERSION)} {known[name]}" for name in sorted(known) if name.startswith(_VERSION)]
    if "python" in known:
        versions.insert(0, f"Python {known['python']}")
    cores = f"{known['cores']} cores" if "cores" in known else ""
    machine = [known.get("processor"), cores, known.get("devices"), known.get("platform")]
    facts = {
        "Made": known.get("created"),
        "Command": known.get("command"),
        "Machine": ", ".join(filter(None, machine)),
        "Versions": ", ".join(versions),
    }
    return {name: fact for name, fact in facts.items() if fact}
