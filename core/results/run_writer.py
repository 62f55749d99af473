"""Writes the results file of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ResultsFileError
from ..plan import Plan, seeds_in_words, version_differences
from .contents import EvaluatorResults, Results
from .journal import Journal
from .records import Records
from .store import RUN, Origin, open_results
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
                _check_same_plan(path, opened.origin, opened.results, plan)
            stored = opened.results
            columns = [part.records for part in stored.evaluators]
            return cls(path, _results_of(plan, columns, stored.environment), opened.origin, journal)

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


def _check_same_plan(path: Path, origin: Origin, stored: Results, plan: Plan) -> None:
    if origin.command != RUN:
        raise ResultsFileError(
            f"'{path}' was made by 'nasbench {origin.command}'. Continue it with the command that made it, or choose "
            "another --output."
        )
    if stored.plan_id == plan.plan_id:
        return
    differences = [
        f"{name} ({old} in the file, {new} now)"
        for name, old, new in (
            ("space", stored.plan.space, plan.header.space),
            ("dataset", stored.plan.dataset, plan.header.dataset),
            ("seeds", seeds_in_words(stored.plan.seeds), seeds_in_words(plan.header.seeds)),
            (
                "evaluators",
                [header.label for header in stored.headers],
                [spec.header.label for spec in plan.evaluators],
            ),
            ("number of architectures", len(stored.arch_ids), len(plan.arch_ids)),
        )
        if old != new
    ]
    versions = version_differences(stored.plan, plan.header, stored.headers, [spec.header for spec in plan.evaluators])
    differences += [f"{name} ({old} in the file, {new} now)" for name, old, new in versions]
    where = ", ".join(differences) or "settings or versions of evaluators, or the architectures themselves"
    raise ResultsFileError(
        f"'{path}' was made by another plan; it differs in: {where}. Repeat the command that made it, or choose "
        "another --output."
    )
