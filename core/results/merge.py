"""Joins shards of one plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ResultsFileError
from ..plan import version_differences
from .contents import EvaluatorResults, Results
from .plan_checks import arithmetic
from .records import Mask, Records
from .store import RUN, open_results


def merge_results(paths: Sequence[Path]) -> Results:
    """Read shards and return their union.

    Raises:
        ResultsFileError: A file cannot be read or is a search, files come from different plans or kinds of device, or
            two of them have different scores for one job.
    """
    shards = [(path, _read_shard(path)) for path in paths]
    first_path, merged = shards[0]
    for path, shard in shards[1:]:
        if shard.plan_id != merged.plan_id:
            _refuse_versions(first_path, merged, path, shard)
            raise ResultsFileError(
                f"'{first_path}' and '{path}' come from different plans: only shards of one plan can be merged. "
                "'nasbench inspect' shows the plan of each."
            )
        _refuse_other_arithmetic(first_path, merged, path, shard)
        parts = [
            _merge_evaluator(path, ours, theirs, merged.arch_ids)
            for ours, theirs in zip(merged.evaluators, shard.evaluators, strict=True)
        ]
        merged = replace(merged, evaluators=tuple(parts))
    return merged


def _read_shard(path: Path) -> Results:
    with open_results(path) as opened:
        if opened.origin.command != RUN:
            raise ResultsFileError(f"'{path}' is a search, and a search has no shards: only those of a run are merged.")
        return opened.results


def _refuse_versions(first_path: Path, first: Results, path: Path, other: Results) -> None:
    differences = version_differences(first.plan, other.plan, first.headers, other.headers)
    if differences:
        shown = "; ".join(f"{name} ({one}, then {two})" for name, one, two in differences)
        raise ResultsFileError(
            f"'{first_path}' and '{path}' were made with different versions: {shown}. Scores of two versions are not "
            "mixed: make one of the shards again with the other version."
        )


def _refuse_other_arithmetic(first_path: Path, first: Results, path: Path, other: Results) -> None:
    one, two = arithmetic(first.environment), arithmetic(other.environment)
    if one != two:
        raise ResultsFileError(
            f"'{first_path}' was made with {one.threads} math threads a worker on {one.device}, '{path}' with "
            f"{two.threads} on {two.device}: their scores differ in the last digits and are not mixed. Make one of the "
            "shards again like the other."
        )


def _merge_evaluator(
    path: Path, ours: EvaluatorResults, theirs: EvaluatorResults, arch_ids: Sequence[str]
) -> EvaluatorResults:
    for name, digest in theirs.batches.items():
        if ours.batches.get(name, digest) != digest:
            raise ResultsFileError(
                f"'{path}' was made from other inputs than the files before it: the batches of {name} that "
                f"'{ours.header.label}' saw differ. Only shards with the same inputs can be merged."
            )
    mine, other = ours.records, theirs.records
    different = np.flatnonzero(mine.ok & other.ok & (mine.scores != other.scores))
    if different.size:
        row = different[0]
        raise ResultsFileError(
            f"'{path}' scores {arch_ids[row]} with '{ours.header.label}' as {other[row].score!r}, another shard as "
            f"{mine[row].score!r}. The same job must have the same score: do not mix files of different software."
        )
    return replace(ours, records=mine.merged(other, _is_better(mine, other)))


def _is_better(mine: Records, other: Records) -> Mask:
    """Whether the other record is better, row by row: a score before a failure, and a failure before nothing."""
    better: Mask = ~mine.ok & other.done & (other.ok | ~mine.done)
    return better
