"""Correlate the scores of a nasbench201 results file with a column of a table of NAS-Bench-201.

Usage: python experiments/correlate_with_table.py results.h5 TABLE.csv.gz cifar10/test_accuracy@200

TABLE has a column ``architecture`` with the benchmark's own strings; a class of isomorphic cells counts with its mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.statistics.arrays import checked_pair
from nasbench_toolkit.core.statistics.estimates import Estimate, estimate_rho, estimate_tau
from nasbench_toolkit.core.statistics.resampling import Resampling


def main() -> None:
    """Print rho with its interval, and tau-b, for each evaluator, over the jobs that got a score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("column")
    args = parser.parse_args()
    results = read_results(args.results)
    space = installed_plugins().search_space(results.plan.space).info.create()
    table = pd.read_csv(args.table, usecols=["architecture", args.column])
    truth = table.groupby(table["architecture"].map(space.canonicalize))[args.column].mean()
    for part in results.evaluators:
        scored = [
            (part.header.direction.sign * record.score, truth[arch_id])
            for arch_id, record in zip(results.arch_ids, part.records, strict=True)
            if record.status == "ok"
        ]
        scores, values = checked_pair(*zip(*scored, strict=True))
        (rho,), tau = estimate_rho([scores], values, Resampling()), estimate_tau(scores, values)
        print(f"{part.header.label:16} n {len(scored)}  rho {_text(rho)}  tau-b {_text(tau)}")


def _text(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "undefined" if estimate.value is None else f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    main()
