"""The only code that writes files of searches.

A resumed search runs its strategy again from the beginning, answers from the stored records, and checks that the
strategy proposes what it proposed then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py

from ..asktell.loop import Proposal
from ..asktell.options import SearchOptions
from ..asktell.replay import Replay
from ..domain import Record
from ..errors import ResultsFileError
from ..plan import PROPOSED_BY, PlanHeader
from ..results.contents import EvaluatorResults, NewArchitecture, Results
from ..results.journal import Journal
from ..results.plan_checks import check_same_arithmetic
from ..results.records import Records
from ..results.store import Origin
from ..results.writer import JournaledWriter, locked_journal, refuse_existing
from .checkpoints import checkpoint_path
from .group import write_regret, write_search_group
from .history import SearchHeader
from .outcome import find_outcome
from .plan import SearchPlan
from .proposals import proposal_to_json
from .storage import COMMAND, read_stored_search
from .stored import StoredSearch, proposed_results
from .trajectory import Epoch, Trajectory, epoch_to_json, write_trajectory


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
        results = _results_at_start(plan, environment, stored)
        # All that the file says about architectures follows from this list: an interrupt finds it whole.
        self._proposals = list(stored.proposals) if stored else []
        self._positions = {arch_id: position for position, arch_id in enumerate(results.arch_ids)}
        self._metrics = [column.metric.key for column in results.ground_truth]
        self._truth = _rows(results)
        self._exhausted = stored is not None and stored.exhausted
        self._trajectory = stored.trajectory if stored else (Trajectory() if plan.trains_supernet else None)
        self._replay = Replay(path, [self._identify(proposal) for proposal in self._proposals])
        super().__init__(path, results, Origin(COMMAND, plan.header.search_id), journal)

    @classmethod
    def open(cls, plan: SearchPlan, options: SearchOptions, environment: Mapping[str, Any]) -> SearchWriter:
        """Start a file, or continue it with ``options.resume``.

        Raises:
            ResultsFileError: The file is damaged, was made by another search or on another kind of device, or has more
                evaluations than the plan; or it exists, and is neither to be continued nor replaced.
            ResultsWriteError: The disk is full.
        """
        path = options.output
        with locked_journal(path, plan.header.search_id) as journal:
            if not (options.resume and path.exists()):
                if not options.overwrite:
                    refuse_existing(path, journal)
                elif plan.trains_supernet:
                    # Not before the file is locked: it may be of a search that is running.
                    checkpoint_path(path).unlink(missing_ok=True)
                return cls(plan, path, environment, None, journal)
            stored = read_stored_search(path)
            _check_same_search(path, stored, plan)
            check_same_arithmetic(path, stored.results.environment, environment)
            return cls(plan, path, environment, stored, journal)

    def propose(self, proposal: Proposal) -> int:
        """Store the strategy's next proposal on disk, or check that it is the one that the file has.

        Returns:
            The architecture's position.

        Raises:
            ResultsFileError: The file has another one.
            ResultsWriteError: The disk is full or gone.
        """
        if self._replay.take(self._identify(proposal)) >= self._replay.stored:
            self._add_proposal(proposal)
        return self._positions[proposal.canonical]

    def records_of(self, position: int) -> list[Record]:
        """Return what is known of an architecture, by the header's evaluators."""
        return [self.record((index, position)) for index in range(len(self._plan.evaluators))]

    def truth(self, position: int) -> dict[str, float]:
        """Return the table's values of an architecture, by key of the metric."""
        return dict(zip(self._metrics, self._truth[position], strict=True))

    @property
    def trajectory(self) -> Trajectory:
        """What was derived so far; empty where no supernet is trained."""
        return self._trajectory or Trajectory()

    def add_epoch(self, number: int, epoch: Epoch, facts: Mapping[str, Any]) -> None:
        """Store an epoch, counted from 0, behind its proposal, unless the file has it.

        Raises:
            ResultsWriteError: The disk is full or gone.
        """
        trajectory = replace(self.trajectory, facts=facts)
        self._trajectory = trajectory.with_epoch(number, epoch)
        if len(self._trajectory.epochs) > len(trajectory.epochs):
            self._journal.append_line(epoch_to_json(number, epoch))

    def fail(self, reason: str) -> None:
        """Say why a supernet was not trained to the end; an empty text says that it was."""
        self._trajectory = replace(self.trajectory, failure=reason)

    def end(self, *, exhausted: bool) -> None:
        """Say that the search has ended: by itself, or with the last of the evaluations that were asked for.

        Raises:
            ResultsFileError: The file has more proposals than were made.
        """
        self._replay.end()
        self._exhausted = exhausted

    def results(self) -> Results:
        """Return what the file holds about architectures."""
        return proposed_results(super().results(), self._proposals)

    def stored(self) -> StoredSearch:
        """Return all that the file holds."""
        return StoredSearch(
            self._plan.header, tuple(self._proposals), self.results(), self._exhausted, self._trajectory
        )

    def _add_proposal(self, proposal: Proposal) -> None:
        arch_id = proposal.canonical
        if arch_id not in self._positions:
            truth = tuple(column.values[0] for column in self._plan.ground_truth([arch_id]))
            self.add_architecture(NewArchitecture(arch_id, truth))
            self._truth.append(truth)
        self._positions.setdefault(arch_id, len(self._positions))
        self._proposals.append(proposal)  # held first, as records are
        self._journal.append_line(proposal_to_json(len(self._proposals) - 1, proposal))

    def _identify(self, proposal: Proposal) -> dict[str, str]:
        """Return what makes a proposal the same as that of a resumed search."""
        fidelity = self._plan.header.rungs[proposal.rung].label
        return {"architecture": proposal.text, "canonical string": proposal.canonical, "fidelity": fidelity}

    def _write_more(self, file: h5py.File) -> None:
        plan, stored = self._plan, self.stored()
        group = write_search_group(file, stored)
        if stored.trajectory is not None:
            write_trajectory(file, stored.trajectory)
        if plan.table is not None and plan.table.values:
            write_regret(group, plan.table.metric.key, find_outcome(stored.history, plan.table).regret_curve)


def _results_at_start(plan: SearchPlan, environment: Mapping[str, Any], stored: StoredSearch | None) -> Results:
    """Return stored results, or none, with what the table says now: it may have been imported since."""
    header = plan.header
    arch_ids = stored.results.arch_ids if stored else ()
    columns = (
        [part.records for part in stored.results.evaluators] if stored else [Records.pending(0)] * len(plan.evaluators)
    )
    return Results(
        plan=PlanHeader(
            header.space, header.dataset, header.seed, f"{PROPOSED_BY} '{header.strategy}'", *header.versions[:2]
        ),
        arch_ids=arch_ids,
        ground_truth=plan.ground_truth(arch_ids),
        evaluators=tuple(
            EvaluatorResults(evaluator, records, header.seed)
            for evaluator, records in zip(header.evaluators, columns, strict=True)
        ),
        environment=stored.results.environment if stored else environment,
    )


def _rows(results: Results) -> list[tuple[float, ...]]:
    """Return the ground truth of each architecture."""
    columns = [column.values for column in results.ground_truth]
    return [tuple(values[position] for values in columns) for position in range(len(results.arch_ids))]


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
        *zip(
            ("version of the space", "version of the dataset", "version of the strategy"),
            old.versions,
            new.versions,
            strict=True,
        ),
        *(
            (f"version of '{now.label}'", then.distribution, now.distribution)
            for then, now in zip(old.evaluators, new.evaluators, strict=False)
            if then.label == now.label
        ),
        ("lower fidelities", _named(each.label for each in old.lower), _named(each.label for each in new.lower)),
    ]


def _limits(header: SearchHeader) -> str:
    return _named(f"{cost.name} <= {cost.limit:.10g}" for cost in header.costs if cost.limit is not None)


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _as_json(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)
