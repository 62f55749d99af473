"""Several results files: those of one run with other seeds become one, the others are kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.plan import GroundTruthColumn
from ..core.results.contents import EvaluatorResults, Results


def join_seeds(runs: Sequence[Results]) -> list[Results]:
    """Join the runs that differ in nothing but their seeds, in the order in which they come.

    They have the same space, data set, architectures, ground truth and evaluators, of the same versions and settings;
    the order of architectures and evaluators, and how they were chosen, do not count.

    Raises:
        UsageError: Two hold the same run with the same seed.
    """
    together: dict[tuple[Any, ...], list[Results]] = {}
    for run in runs:
        together.setdefault(_identity(run), []).append(run)
    return [_join(same) for same in together.values()]


def _identity(run: Results) -> tuple[Any, ...]:
    plan, order = run.plan, np.argsort(run.arch_ids)
    return (
        plan.space,
        plan.dataset,
        plan.space_version,
        plan.dataset_version,
        tuple(sorted(run.arch_ids)),
        tuple((column.metric, np.asarray(column.values)[order].tobytes()) for column in run.ground_truth),
        tuple(sorted((header.label, header.identity, header.distribution) for header in run.headers)),
    )


def _join(runs: Sequence[Results]) -> Results:
    first = runs[0]
    seeds = [seed for run in runs for seed in run.plan.seeds]
    twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two files hold the same run of {first.plan.space} on {first.plan.dataset} with seed {twice}, which would "
            "count twice. Leave one out, or join the shards of one run with 'nasbench merge'."
        )
    parts = {(part.header.label, part.seed): part for run in runs for part in _in_order(run, first.arch_ids).evaluators}
    return replace(
        first,
        plan=replace(first.plan, further_seeds=tuple(seeds[1:])),
        evaluators=tuple(parts[header.label, seed] for header in first.headers for seed in seeds),
        aggregates=tuple(dict.fromkeys(label for run in runs for label in run.aggregates)),
    )


def _in_order(run: Results, arch_ids: Sequence[str]) -> Results:
    """Return a run with its architectures in another order."""
    place = {arch_id: position for position, arch_id in enumerate(run.arch_ids)}
    order = np.array([place[arch_id] for arch_id in arch_ids], dtype=np.intp)

    def column_in_order(column: GroundTruthColumn) -> GroundTruthColumn:
        return replace(column, values=tuple(column.values[position] for position in order))

    def part_in_order(part: EvaluatorResults) -> EvaluatorResults:
        return replace(part, records=part.records.take(order))

    return replace(
        run,
        arch_ids=tuple(arch_ids),
        ground_truth=tuple(map(column_in_order, run.ground_truth)),
        evaluators=tuple(map(part_in_order, run.evaluators)),
    )
