"""What a correlation table prints: for people in words and tables, for programs in full precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..core.documents.document import Column, Document, Grid
from ..core.statistics.estimates import Estimate
from . import wording
from .correlation import CorrelationRow, CorrelationTable
from .further import FurtherRow
from .seeds import SeedsRow
from .select import FAILURE_STATUSES

SCHEMA = "nasbench-correlation"
SCHEMA_VERSION = 1

ALL_SEEDS = "all"
"""Stands in CSV for the seed of a line that is about all of them."""

_MATRIX_COLUMNS = 8
"""Columns of the matrix of agreements that fit on 80 columns beside the labels."""


def correlation_document(table: CorrelationTable, *, pairwise: bool = False) -> Document:
    """Describe a correlation table.

    For people: one row an evaluator, over its run seeds where there are several, then how evaluators agree with each
    other if ``pairwise`` asks for it or there is no ground truth. CSV has one line an evaluator and run seed: space,
    dataset, metric, failure_policy; evaluator (label), seed;
    rho, rho_low, rho_high, tau, tau_low, tau_high; other_rho, other_rho_low, other_rho_high, other_n, under the other
    failure policy; n, failures and their number by status; pending, ties,
    median_seconds (wall clock), median_processor_seconds, median_peak_memory (bytes), saved_seconds (of all jobs, that
    others spent on what they share), note. What is undefined is empty.
    If they were asked for, pearson, weighted_tau, ndcg, retrieving_rate, retrieving_k, retrieving_tied, best_of_top,
    best_of_top_k and regret follow.
    Where there are several seeds, a line with "all" as seed follows for each evaluator: rho and its interval are the
    mean over seeds, and rho_deviation, rho_lowest, rho_highest, mean_score_rho with its interval are filled in.

    JSON has the whole table, with null for what is undefined or not known:

    - `schema`: "nasbench-correlation", `schema_version`: 1; raised when a key changes its meaning or goes.
    - `plan`: `plan_id`, `space`, `dataset`, `seed`, `sampling`, `space_version`,
      `dataset_version`, `further_seeds`.
    - `metric`: null without a ground truth, else `key`, `dataset`, `split`, `quantity`, `epochs`,
      `direction`, `unit`, `noise_ceiling`, `source`.
    - `architectures`: `total`, and `without_truth` of them left out.
    - `failure_policy`: "worst" or "omit".
    - `bootstrap`: `resamples`, `level`, `seed`.
    - `evaluators`: list, each with each run seed, of `seed`, `label`, `name`, `direction`, `version`, `settings`,
      `settings_hash`, `distribution`, `rho`, `rho_low`, `rho_high`, `tau`, `tau_low`, `tau_high`, `other_rho`,
      `other_rho_low`, `other_rho_high`, `other_n` (under the other failure policy), `n`, `failures` (number by
      status, every status), `pending`, `ties`, `median_seconds` (wall clock), `median_processor_seconds`,
      `median_peak_memory` (bytes), `saved_seconds` (of all jobs, that others spent on what they share), `note`.
      Correlations are those after scores and metric were turned so that higher is better. Aggregates follow: they have
      `components` (labels) and `figures` (by description) as well. Further statistics, if they were asked for, as in
      CSV.
    - `over_seeds`: where there are several seeds, list of `label`, `rho`, `rho_low`, `rho_high` (mean over seeds, with
      an interval over architectures and seeds), `rho_deviation`, `rho_lowest`, `rho_highest`, `mean_score_rho`,
      `mean_score_rho_low`, `mean_score_rho_high` (of the mean score), `n`, `failures`, `note`.
    - `pairwise`: list of `first`, `second` (labels), `rho` (Spearman), `n`.
    """
    return Document(
        title=wording.title(table),
        blocks=(
            *(_seed_grids(table) if table.over_seeds else (_main_grid(table),)),
            *((_further_grid(table),) if table.further else ()),
            *((_agreements(table),) if wording.shows_pairwise(table, pairwise) else ()),
        ),
        notes=wording.notes(table),
        records=_records(table),
        content=_content(table),
    )


def _main_grid(table: CorrelationTable) -> Grid:
    headings, rows = wording.headings(table), [wording.cells(row, table) for row in table.rows]
    columns = [Column(headings[0], code=True)]
    for position, heading in enumerate(headings[1:], start=1):
        if heading in wording.CORRELATION_HEADINGS:
            # Reasons may be broken, numbers may not.
            columns.append(Column(heading, min_width=_widest_number(heading, [row[position] for row in rows])))
        else:
            columns.append(Column(heading, right=True))
    return Grid(columns, rows, dense=True)


def _seed_grids(table: CorrelationTable) -> tuple[Grid, Grid]:
    rows = [wording.seeds_cells(row) for row in table.over_seeds]
    name, mean, deviation, of_mean, *counts = wording.SEEDS_HEADINGS
    columns = [
        Column(name, code=True),
        Column(mean, min_width=_widest_number(mean, [row[1] for row in rows])),
        Column(deviation, right=True),
        Column(of_mean, min_width=_widest_number(of_mean, [row[3] for row in rows])),
        *(Column(heading, right=True) for heading in counts),
    ]
    seeds = [Column(f"seed {seed}", right=True) for seed in table.plan.seeds]
    each = Grid(
        [Column(name, code=True), *seeds],
        wording.each_seed_cells(table),
        title="Spearman rho with each run seed",
        dense=True,
        columns_at_once=_MATRIX_COLUMNS,
    )
    return Grid(columns, rows, dense=True), each


def _further_grid(table: CorrelationTable) -> Grid:
    first, *others = wording.FURTHER_HEADINGS
    columns = [Column(first, code=True), *(Column(heading, right=True) for heading in others)]
    return Grid(columns, [wording.further_cells(row, table) for row in table.further], dense=True)


def _further_columns(row: FurtherRow, table: CorrelationTable) -> dict[str, Any]:
    return {
        "pearson": row.pearson,
        "weighted_tau": row.weighted_tau,
        "ndcg": row.ndcg,
        "retrieving_rate": row.retrieval and row.retrieval.rate,
        "retrieving_k": row.retrieval and row.retrieval.k,
        "retrieving_tied": row.retrieval and row.retrieval.tied,
        "best_of_top": wording.best_truth(row, table),
        "best_of_top_k": row.best and row.best.k,
        "regret": row.best and row.best.regret,
    }


def _all_columns(table: CorrelationTable) -> list[dict[str, Any]]:
    """Return further statistics for each row, nothing where they were not asked for."""
    further = {(row.label, row.seed): _further_columns(row, table) for row in table.further}
    return [further.get((row.label, row.seed), {}) for row in table.rows]


def _widest_number(heading: str, values: Sequence[str]) -> int:
    return max(len(text) for text in [heading, *values] if not text.startswith(wording.UNDEFINED))


def _agreements(table: CorrelationTable) -> Grid:
    first, *others = wording.pairwise_headings(table)
    return Grid(
        columns=[Column(first, code=True), *(Column(heading, right=True) for heading in others)],
        rows=wording.pairwise_cells(table),
        title=wording.PAIRWISE_TITLE,
        dense=True,
        columns_at_once=_MATRIX_COLUMNS,
    )


def _records(table: CorrelationTable) -> list[dict[str, Any]]:
    common = {
        "space": table.plan.space,
        "dataset": table.plan.dataset,
        "metric": table.metric.key if table.metric else None,
        "failure_policy": str(table.failure_policy),
    }
    rows = [common | _columns(row) | more for row, more in zip(table.rows, _all_columns(table), strict=True)]
    return rows + [common | _seeds_columns(row) for row in table.over_seeds]


def _content(table: CorrelationTable) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "plan": {"plan_id": table.plan_id, **asdict(table.plan)},
        "metric": _metric(table),
        "architectures": {"total": table.num_architectures, "without_truth": table.num_without_truth},
        "failure_policy": table.failure_policy,
        "bootstrap": {
            "resamples": table.resamples,
            "level": table.level,
            "seed": table.bootstrap_seed,
        },
        "evaluators": [_evaluator(row) | more for row, more in zip(table.rows, _all_columns(table), strict=True)],
        "over_seeds": [_over_seeds(row) for row in table.over_seeds],
        "pairwise": [asdict(pair) for pair in table.pairwise],
    }


def _over_seeds(row: SeedsRow) -> dict[str, Any]:
    spread = row.spread
    mean = Estimate() if spread is None else spread.mean
    return {
        "label": row.label,
        "rho": mean.value,
        "rho_low": mean.low,
        "rho_high": mean.high,
        "rho_deviation": spread and spread.deviation,
        "rho_lowest": spread and spread.lowest,
        "rho_highest": spread and spread.highest,
        "mean_score_rho": row.of_mean.value,
        "mean_score_rho_low": row.of_mean.low,
        "mean_score_rho_high": row.of_mean.high,
        "n": row.n,
        "failures": row.failures,
        "note": row.note,
    }


def _seeds_columns(row: SeedsRow) -> dict[str, Any]:
    described = _over_seeds(row)
    return {"evaluator": described.pop("label"), "seed": ALL_SEEDS, **described}


def _metric(table: CorrelationTable) -> dict[str, Any] | None:
    if table.metric is None:
        return None
    described = {"noise_ceiling": table.noise_ceiling, "source": table.truth_source}
    return {"key": table.metric.key, **asdict(table.metric), **described}


def _evaluator(row: CorrelationRow) -> dict[str, Any]:
    return {
        **asdict(row.evaluator),
        "seed": row.seed,
        **_correlations(row),
        "n": row.n,
        "failures": {status: row.failures.get(status, 0) for status in FAILURE_STATUSES},
        **_remaining(row),
        **({"components": row.components, "figures": dict(row.figures)} if row.components else {}),
    }


def _columns(row: CorrelationRow) -> dict[str, Any]:
    by_status = {f"failures_{status}": row.failures.get(status, 0) for status in FAILURE_STATUSES}
    return {
        "evaluator": row.label,
        "seed": row.seed,
        **_correlations(row),
        "n": row.n,
        "failures": row.num_failures,
        **by_status,
        **_remaining(row),
    }


def _correlations(row: CorrelationRow) -> dict[str, float | None]:
    return {
        "rho": row.rho.value,
        "rho_low": row.rho.low,
        "rho_high": row.rho.high,
        "tau": row.tau.value,
        "tau_low": row.tau.low,
        "tau_high": row.tau.high,
        "other_rho": row.other_rho.value,
        "other_rho_low": row.other_rho.low,
        "other_rho_high": row.other_rho.high,
        "other_n": row.other_n,
    }


def _remaining(row: CorrelationRow) -> dict[str, Any]:
    return {
        "pending": row.pending,
        "ties": row.ties,
        "median_seconds": row.median_seconds,
        "median_processor_seconds": row.median_processor_seconds,
        "median_peak_memory": row.median_peak_memory,
        "saved_seconds": row.saved_seconds,
        "note": row.note,
    }
