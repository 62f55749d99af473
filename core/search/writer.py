"""The only code that writes files of searches.

A resumed search runs its strategy again from the beginning, answers from the stored records, and checks that the
strategy proposes what it proposed then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..asktell.options import SearchOptions
from ..asktell.replay import Replay
from ..domain import Record
from ..errors import ResultsFileError
from ..plan import PROPOSED_BY, GroundTruthColumn, PlanHeader
from ..results.contents import PENDING, EvaluatorResults, Results
from ..results.journal import Journal, Proposal
from ..results.writer import (
    JournaledWriter,
    finished_records,
    locked_journal,
    refuse_existing,
    write_numbers,
    write_results,
    write_texts,
)
from .history import SearchHeader
from .outcome import find_outcome
from .plan import SearchPlan
from .storage import StoredSearch, read_stored_search


class SearchWriter(JournaledWriter):
    """Writes a search as it proceeds; the positions of records count architectures by their first proposal."""

    def __init__(
        self,
        plan: SearchPlan,
        path: Path,
        environment: Mapping[str, Any],
        stored: StoredSearch | None,
        journal: Journal,
    ) -> None:
        self._plan = plan
        self._environment = stored.results.environment if stored else environment
        arch_ids = stored.results.arch_ids if stored else ()
        self._columns = plan.ground_truth(arch_ids)
        # All that the file says about architectures follows from this list: an interrupt finds it whole.
        self._proposals = _with_ground_truth(stored, self._columns) if stored else []
        self._positions = {arch_id: position for position, arch_id in enumerate(arch_ids)}
        self._truth = [proposal.ground_truth for proposal in self._proposals if proposal.is_new]
        self._exhausted = stored is not None and stored.exhausted
        self._replay = Replay(
            path, [self._identify(each.architecture, each.arch_id, each.rung) for each in self._proposals]
        )
        super().__init__(path, finished_records(stored.results) if stored else {}, journal)

    @classmethod
    def open(cls, plan: SearchPlan, options: SearchOptions, environment: Mapping[str, Any]) -> SearchWriter:
        """Start a file, or continue it with ``options.resume``.

        Raises:
            ResultsFileError: The file is damaged, was made by another search or has more evaluations than the plan;
                or it exists, and is neither to be continued nor replaced.
            ResultsWriteError: The disk is full.
        """
        path = options.output
        with locked_journal(path, plan.header.search_id) as journal:
            if not (options.resume and path.exists()):
                if not options.overwrite:
                    refuse_existing(path, journal)
                return cls(plan, path, environment, None, journal)
            stored = read_stored_search(path)
            _check_same_search(path, stored, plan)
            return cls(plan, path, environment, stored, journal)

    def propose(self, architecture: str, arch_id: str, rung: int) -> int:
        """Store the strategy's next proposal on disk, or check that it is the one that the file has.

        Returns:
            The architecture's position.

        Raises:
            ResultsFileError: The file has another one.
            ResultsWriteError: The disk is full or gone.
        """
        if self._replay.take(self._identify(architecture, arch_id, rung)) >= self._replay.stored:
            self._add_proposal(architecture, arch_id, rung)
        return self._positions[arch_id]

    def records_of(self, position: int) -> list[Record]:
        """Return what is known of an architecture, by the header's evaluators."""
        return [self.records.get((index, position), PENDING) for index in range(len(self._plan.evaluators))]

    def truth(self, position: int) -> dict[str, float]:
        """Return the table's values of an architecture, by key of the metric."""
        keys = [column.metric.key for column in self._columns]
        return dict(zip(keys, self._truth[position], strict=True))

    def end(self, *, exhausted: bool) -> None:
        """Say that the search has ended: by itself, or with the last of the evaluations that were asked for.

        Raises:
            ResultsFileError: The file has more proposals than were made.
        """
        self._replay.end()
        self._exhausted = exhausted

    def results(self) -> Results:
        """Return what the file holds about architectures."""
        header = self._plan.header
        new = [proposal for proposal in self._proposals if proposal.is_new]
        columns = tuple(
            replace(column, values=tuple(proposal.ground_truth[position] for proposal in new))
            for position, column in enumerate(self._columns)
        )
        by_position = [self.records_of(position) for position in range(len(new))]
        evaluators = tuple(
            EvaluatorResults(spec.header, tuple(records[index] for records in by_position))
            for index, spec in enumerate(self._plan.evaluators)
        )
        return Results(
            plan=PlanHeader(header.space, header.dataset, header.seed, f"{PROPOSED_BY} '{header.strategy}'"),
            arch_ids=tuple(proposal.arch_id for proposal in new),
            ground_truth=columns,
            evaluators=evaluators,
            environment=self._environment,
            search_id=header.search_id,
        )

    def stored(self) -> StoredSearch:
        """Return all that the file holds."""
        return StoredSearch(self._plan.header, tuple(self._proposals), self.results(), self._exhausted)

    def _add_proposal(self, architecture: str, arch_id: str, rung: int) -> None:
        is_new = arch_id not in self._positions
        columns = self._plan.ground_truth([arch_id]) if is_new else ()
        truth = tuple(column.values[0] for column in columns)
        proposal = Proposal(architecture, arch_id, is_new, truth, rung)
        self._journal.append_proposal(len(self._proposals), proposal)
        self._positions.setdefault(arch_id, len(self._positions))
        self._proposals.append(proposal)
        if is_new:
            self._truth.append(truth)

    def _identify(self, architecture: str, arch_id: str, rung: int) -> dict[str, str]:
        """Return what makes a proposal the same as that of a resumed search."""
        fidelity = self._plan.header.rungs[rung].label
        return {"architecture": architecture, "canonical string": arch_id, "fidelity": fidelity}

    def _write(self) -> None:
        write_results(self.path, self.results(), self._write_search_group)

    def _write_search_group(self, file: h5py.File) -> None:
        header, group = self._plan.header, file.create_group("search")
        group.attrs.update(
            strategy=header.strategy,
            strategy_settings=json.dumps(header.strategy_settings, sort_keys=True),
            distribution=self._plan.strategy.distribution,
            parallel=header.parallel,
            exhausted=self._exhausted,
        )
        if header.costs:
            group.attrs["costs"] = json.dumps([cost.as_json() for cost in header.costs])
        if header.lower:
            group.attrs["lower_fidelities"] = json.dumps([evaluator.label for evaluator in header.lower])
            write_numbers(group, "rungs", np.array([proposal.rung for proposal in self._proposals], np.int64))
        write_texts(group, "proposals", [proposal.architecture for proposal in self._proposals])
        positions = [self._positions[proposal.arch_id] for proposal in self._proposals]
        write_numbers(group, "positions", np.array(positions, np.int64))
        self._write_regret(group)

    def _write_regret(self, group: h5py.Group) -> None:
        """Write what follows from the rest, for readers that do not have the table."""
        table = self._plan.table
        if table is None or not table.values:
            return
        curve = find_outcome(self.stored().history, table).regret_curve
        dataset = write_numbers(
            group, "regret", np.array([np.nan if value is None else value for value in curve], np.float64)
        )
        dataset.attrs["metric"] = table.metric.key


def _with_ground_truth(stored: StoredSearch, columns: Sequence[GroundTruthColumn]) -> list[Proposal]:
    """Return stored proposals with what the table says now: it may have been imported since."""
    arch_ids = stored.results.arch_ids
    rows = zip(*(column.values for column in columns), strict=True) if columns else [()] * len(arch_ids)
    truth = dict(zip(arch_ids, rows, strict=True))
    return [replace(shown, ground_truth=truth[shown.arch_id] if shown.is_new else ()) for shown in stored.proposals]


def _check_same_search(path: Path, stored: StoredSearch, plan: SearchPlan) -> None:
    if stored.header.search_id != plan.header.search_id:
        differences = [
            f"{name} ({old} in the file, {new} now)"
            for name, old, new in _described(stored.header, plan.header)
            if old != new
        ]
        where = ", ".join(differences) or "the version or settings of the evaluator"
        raise ResultsFileError(
            f"'{path}' was made by another search; it differs in: {where}. Repeat the command that made it, or choose "
            "another --output."
        )
    if stored.evaluations > plan.evaluations:
        raise ResultsFileError(
            f"'{path}' has {stored.evaluations} evaluations already, {plan.evaluations} were asked for. Ask for at "
            "least as many, or choose another --output."
        )


def _described(old: SearchHeader, new: SearchHeader) -> list[tuple[str, Any, Any]]:
    """Return name, old and new value of all that makes two searches different, as texts."""
    return [
        ("space", old.space, new.space),
        ("dataset", old.dataset, new.dataset),
        ("evaluator", old.evaluator.label, new.evaluator.label),
        ("evaluator version", old.evaluator.version, new.evaluator.version),
        ("strategy", old.strategy, new.strategy),
        ("strategy settings", _as_json(old.strategy_settings), _as_json(new.strategy_settings)),
        ("seed", old.seed, new.seed),
        ("parallel", old.parallel, new.parallel),
        ("limits", _limits(old), _limits(new)),
        ("costs to minimise", _named(cost.name for cost in old.minimized), _named(cost.name for cost in new.minimized)),
        ("lower fidelities", _named(each.label for each in old.lower), _named(each.label for each in new.lower)),
    ]


def _limits(header: SearchHeader) -> str:
    return _named(f"{cost.name} <= {cost.limit:.10g}" for cost in header.costs if cost.limit is not None)


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _as_json(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)
