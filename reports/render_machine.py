"""Correlation table for programs: CSV and JSON, in full precision and with nothing for what is undefined."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .correlation import CorrelationRow, CorrelationTable
from .select import FAILURE_STATUSES

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "nasbench-correlation"
SCHEMA_VERSION = 1


def correlation_frame(table: CorrelationTable) -> pd.DataFrame:
    """Return one row for each evaluator, the columns of the CSV format.

    Columns: space, dataset, seed, metric, failure_policy; evaluator (label); rho, rho_low, rho_high, tau,
    tau_low, tau_high; n, failures and their number by status; pending, ties, median_seconds, note. What is
    undefined is missing.
    """
    # Imported here, since JSON has no use for it and it takes longer to import than all the rest.
    import pandas as pd

    common = {
        "space": table.plan.space,
        "dataset": table.plan.dataset,
        "seed": table.plan.seed,
        "metric": table.metric.key if table.metric else None,
        "failure_policy": str(table.failure_policy),
    }
    return pd.DataFrame([common | _columns(row) for row in table.rows])


def render_csv(table: CorrelationTable) -> str:
    """Render the columns of `correlation_frame`; an undefined value is an empty field."""
    return str(correlation_frame(table).to_csv(index=False, lineterminator="\n"))


def render_json(table: CorrelationTable) -> str:
    """Render the whole table, agreements between evaluators included.

    The object has, with null for what is undefined or not known:

    - `schema`: "nasbench-correlation", `schema_version`: 1; raised when a key changes its meaning or goes.
    - `plan`: `plan_id`, `space`, `dataset`, `seed`, `sampling`.
    - `metric`: null without a ground truth, else `key`, `dataset`, `split`, `quantity`, `epochs`,
      `direction`, `unit`, `noise_ceiling`, `source`.
    - `architectures`: `total`, and `without_truth` of them left out.
    - `failure_policy`: "worst" or "omit".
    - `bootstrap`: `resamples`, `level`, `seed`.
    - `evaluators`: list of `label`, `name`, `direction`, `version`, `settings`, `settings_hash`,
      `distribution`, `rho`, `rho_low`, `rho_high`, `tau`, `tau_low`, `tau_high`, `n`, `failures` (number by
      status, every status), `pending`, `ties`, `median_seconds`, `note`. Correlations are those after scores
      and metric were turned so that higher is better. Aggregates follow: they have `components` (labels) and
      `figures` (by description) as well.
    - `pairwise`: list of `first`, `second` (labels), `rho` (Spearman), `n`.
    """
    content = {
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
        "evaluators": [_evaluator(row) for row in table.rows],
        "pairwise": [asdict(pair) for pair in table.pairwise],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _metric(table: CorrelationTable) -> dict[str, Any] | None:
    if table.metric is None:
        return None
    described = {"noise_ceiling": table.noise_ceiling, "source": table.truth_source}
    return {"key": table.metric.key, **asdict(table.metric), **described}


def _evaluator(row: CorrelationRow) -> dict[str, Any]:
    return {
        **asdict(row.evaluator),
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
    }


def _remaining(row: CorrelationRow) -> dict[str, Any]:
    return {
        "pending": row.pending,
        "ties": row.ties,
        "median_seconds": row.median_seconds,
        "note": row.note,
    }
