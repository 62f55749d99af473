"""Writes the results file of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..plan import Plan
from .contents import EvaluatorResults, Results
from .journal import Journal
from .plan_checks import check_extends, check_same_arithmetic, check_same_plan
from .records import Records
from .store import Origin, open_results
from .writer import JournaledWriter, locked_journal, refuse_existing


class ResultsWriter(JournaledWriter):
    """Writes a run's results; the indices of its records are those of the plan."""

    @classmethod
    def create(cls, path: Path, plan: Plan, environment: Mapping[str, Any], *, overwrite: bool) -> ResultsWriter:
        """Start a new file.

        Raises:
            ResultsFileError: The file exists and ``overwrite`` is false, or the place is not writable.
            ResultsWriteError: The disk is full.
        """
        with locked_journal(path, plan.plan_id) as journal:
            if not overwrite:
                refuse_existing(path, journal)
            return cls._begin(path, plan, environment, journal)

    @classmethod
    def resume(cls, path: Path, plan: Plan, environment: Mapping[str, Any]) -> ResultsWriter:
        """Continue a file, or start it if it does not exist.

        Raises:
            ResultsFileError: The file is damaged or was made by another plan.
            ResultsWriteError: The disk is full.
        """
        # Nothing is read before the lock is held: a run that is just ending may still add to the file.
        with locked_journal(path, plan.plan_id) as journal:
            if not path.exists():
                refuse_existing(path, journal)
                return cls._begin(path, plan, environment, journal)
            with open_results(path) as opened:
                check_same_plan(path, opened.origin, opened.results, plan)
            stored = opened.results
            check_same_arithmetic(path, stored.environment, environment)
            columns = [part.records for part in stored.evaluators]
            return cls(path, _results_of(plan, columns, stored.environment), opened.origin, journal)

    @classmethod
    def extend(cls, path: Path, plan: Plan, environment: Mapping[str, Any], command: str) -> ResultsWriter:
        """Continue a file with a plan that has all it has, and perhaps more evaluators and architectures.

        Args:
            path: The file.
            plan: Its first architectures are those of the file.
            environment: As it is now.
            command: The command that describes the file from now on.

        Raises:
            ResultsFileError: The file is damaged, or the plan lacks something that it has.
            ResultsWriteError: The disk is full.
        """
        with open_results(path) as opened:
            check_extends(path, opened.results, plan)
            check_same_arithmetic(path, opened.results.environment, environment)
        _empty_journal(path)
        with locked_journal(path, plan.plan_id) as journal:
            with open_results(path) as opened:
                stored = opened.results
            known = {(part.header.identity, part.seed): part.records for part in stored.evaluators}
            none = Records.pending(0)
            columns = [
                known.get((spec.header.identity, seed), none).extended(len(plan.arch_ids))
                for spec, seed in plan.columns
            ]
            results = _results_of(plan, columns, {**stored.environment, "command": command})
            return cls(path, results, Origin.of_run(plan.plan_id), journal)

    @classmethod
    def _begin(cls, path: Path, plan: Plan, environment: Mapping[str, Any], journal: Journal) -> ResultsWriter:
        columns = [Records.pending(len(plan.arch_ids))] * len(plan.columns)
        return cls(path, _results_of(plan, columns, environment), Origin.of_run(plan.plan_id), journal)


def _results_of(plan: Plan, columns: Sequence[Records], environment: Mapping[str, Any]) -> Results:
    parts = tuple(
        EvaluatorResults(spec.header, records, seed)
        for (spec, seed), records in zip(plan.columns, columns, strict=True)
    )
    return Results(plan.header, plan.arch_ids, plan.ground_truth, parts, environment, plan.aggregates)


def _empty_journal(path: Path) -> None:
    """Make what the journal of an unfinished run has part of the file, so that the file alone says whose it is."""
    with open_results(path) as opened:
        work_id = opened.origin.work_id
    with locked_journal(path, work_id) as journal:
        with open_results(path) as opened:
            results, origin = opened.results, opened.origin
        writer = ResultsWriter(path, results, origin, journal)
    with writer:
        pass
