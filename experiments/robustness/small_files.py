"""A small results file, a journal for it and a small stored table, for the experiments that damage them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nasbench_toolkit.benchmarks_data.tables.merge import TableRows
from nasbench_toolkit.benchmarks_data.tables.store import StoredTable
from nasbench_toolkit.benchmarks_data.tables.store_writer import write_table
from nasbench_toolkit.core.domain import Direction, JobCost, Metric, Record, Status
from nasbench_toolkit.core.plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from nasbench_toolkit.core.results.contents import EvaluatorResults, Results
from nasbench_toolkit.core.results.merge import merge_results
from nasbench_toolkit.core.results.records import PENDING, Records
from nasbench_toolkit.core.results.store import read_results, write_results
from nasbench_toolkit.reports.correlation import correlation_table

ARCHITECTURES = 12


def small_results() -> Results:
    """Return the results of two evaluators on a dozen architectures, with curves, failures and one job to be done."""
    rng = np.random.default_rng(0)
    metric = Metric("cifar10", "test", "accuracy", 200, Direction.MAXIMIZE, "percent")
    truth = tuple(rng.normal(90, 2, ARCHITECTURES).tolist())
    return Results(
        PlanHeader("letters", "cifar10", 0, "uniform"),
        tuple(f"architecture {number}" for number in range(ARCHITECTURES)),
        (GroundTruthColumn(metric, truth, 0.9, "letters 1"),),
        tuple(_evaluator(name, rng) for name in ("width", "depth")),
        {"created": "today", "command": "nasbench run"},
    )


def _evaluator(name: str, rng: np.random.Generator) -> EvaluatorResults:
    header = EvaluatorHeader(name, name, Direction.MAXIMIZE, 1, {"size": 16}, "0123456789abcdef", "letters 1")
    records = [
        Record(Status.OK, score, "", JobCost(0.5, 0.25, 1.0), {"loss": (1.0, score)}, {"16 images": "0a1b"})
        for score in rng.normal(size=ARCHITECTURES - 2).tolist()
    ]
    failed = Record(Status.FAILED, float("nan"), "ValueError: something went wrong")
    return EvaluatorResults(header, Records.of([*records, failed, PENDING]), 0)


def write_small_results(path: Path) -> None:
    """Write the results file."""
    write_results(path, small_results())


def use_results(path: Path) -> str:
    """Read, report and merge a results file as the commands do, and return all that is in it as text."""
    results = read_results(path)
    correlation_table(results, None, "worst", ())
    merged = path.with_name("merged.h5")
    write_results(merged, merge_results([path]))
    again = read_results(merged)
    merged.unlink()
    if repr_of(again) != repr_of(results):
        raise AssertionError("the merged file holds something else")
    return repr_of(results)


def repr_of(results: Results) -> str:
    """Return all of the results as text."""
    records = [list(part.records) for part in results.evaluators]
    headers = [part.header for part in results.evaluators]
    plain = (results.plan, results.arch_ids, results.ground_truth, dict(results.environment), results.aggregates)
    return repr((plain, headers, records))


def write_small_table(path: Path) -> None:
    """Write the stored table."""
    rng = np.random.default_rng(1)
    rows = TableRows(
        arch_ids=[f"{number:04d}" for number in range(500)],
        columns={
            "cifar10/test_accuracy@12": rng.uniform(10, 95, 500),
            "hardware/fpga_latency": rng.uniform(1, 9, 500),
        },
        rows_merged=np.ones(500, np.int32),
        reduction="mean of isomorphic cells",
    )
    write_table(path, rows, data_source="letters", imported_from="letters.csv")


def use_table(path: Path) -> str:
    """Open and verify a stored table, look all its values up, and return them as text."""
    table = StoredTable.open(path)
    table.verify()
    values = {metric.key: table.values(metric, table.arch_ids) for metric in table.metrics}
    return repr((table.data_source, table.imported_from, table.num_rows, table.arch_ids, values))
