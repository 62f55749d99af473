"""Correlate the scores of a nasbench201 results file with a column of a table of NAS-Bench-201.

Usage: python experiments/correlate_with_table.py results.h5 TABLE.csv.gz cifar10/test_accuracy@200

TABLE has a column ``architecture`` with the benchmark's own strings; a class of isomorphic cells counts with its mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from nasbench_toolkit.core.metrics import Coefficient, bootstrap_interval, kendall_tau, spearman_rho
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.store import read_results


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
        scores, values = zip(*scored, strict=True)
        low, high = bootstrap_interval(Coefficient.SPEARMAN_RHO, scores, values) or (float("nan"),) * 2
        rho, tau = spearman_rho(scores, values), kendall_tau(scores, values)
        print(f"{part.header.label:16} n {len(scored)}  rho {rho:.3f} [{low:.3f}, {high:.3f}]  tau-b {tau:.3f}")


if __name__ == "__main__":
    main()
