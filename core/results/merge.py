"""Joins shards of one plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..domain import Record, Status
from ..errors import ResultsFileError
from .contents import EvaluatorResults, Results
from .reader import read_results


def merge_results(paths: Sequence[Path]) -> Results:
    """Read shards and return their union.

    Raises:
        ResultsFileError: A file cannot be read, files come from different plans, or two of them have different
            scores for one job.
    """
    shards = [(path, read_results(path)) for path in paths]
    first_path, first = shards[0]
    merged = replace(first, search_id=None)  # which steps found the architectures is lost
    for path, shard in shards[1:]:
        if shard.plan_id != merged.plan_id:
            raise ResultsFileError(
                f"'{first_path}' and '{path}' come from different plans: only shards of one plan can be merged. "
                "'nasbench inspect' shows the plan of each."
            )
        parts = [
            _merge_evaluator(path, ours, theirs, merged.arch_ids)
            for ours, theirs in zip(merged.evaluators, shard.evaluators, strict=True)
        ]
        merged = replace(merged, evaluators=tuple(parts))
    return merged


def _merge_evaluator(
    path: Path, ours: EvaluatorResults, theirs: EvaluatorResults, arch_ids: Sequence[str]
) -> EvaluatorResults:
    for name, digest in theirs.batches.items():
        if ours.batches.get(name, digest) != digest:
            raise ResultsFileError(
                f"'{path}' was made from other images than the files before it: the batches of {name} that "
                f"'{ours.header.label}' saw differ. Only shards with the same images can be merged."
            )
    records = []
    for arch_id, mine, other in zip(arch_ids, ours.records, theirs.records, strict=True):
        if mine.status is Status.OK and other.status is Status.OK and mine.score != other.score:
            raise ResultsFileError(
                f"'{path}' scores {arch_id} with '{ours.header.label}' as {other.score!r}, another shard as "
                f"{mine.score!r}. The same job must have the same score: do not mix files of different software."
            )
        records.append(_better(mine, other))
    return replace(ours, records=tuple(records))


def _better(mine: Record, other: Record) -> Record:
    """Prefer a score over a failure, and a failure over nothing."""
    if mine.status is Status.OK or other.status is Status.PENDING:
        return mine
    return other if other.status is Status.OK or mine.status is Status.PENDING else mine
