"""Reads the file of a search, which may come from anywhere: a results file with the proposals in a group ``search``.

The architectures are those proposed, in the order of their first proposal. Steps are not stored: they are the leading
proposals whose architectures have the records that they need.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ResultsFileError
from ..results.contents import Results
from ..results.store import open_results
from . import group
from .history import SearchHeader, SearchHistory, Step, make_step
from .proposals import Proposal, with_journal

COMMAND = "search"
"""The command that the file of a search says it was made by."""


@dataclass(frozen=True)
class StoredSearch:
    """What the file of a search and its journal hold.

    Attributes:
        header: What searched for what.
        proposals: What the strategy proposed, in its order.
        results: The proposed architectures.
    """

    header: SearchHeader
    proposals: Sequence[Proposal]
    results: Results

    @property
    def steps(self) -> Iterator[Step | None]:
        """Give the step of every proposal, None where it has not been done."""
        numbers = {arch_id: number for number, arch_id in enumerate(self.results.arch_ids)}
        # Only costs are looked at; a table may have many columns, and a search many steps.
        costs = {cost.name for cost in self.header.costs if cost.metric}
        columns = {column.metric.key: column.values for column in self.results.ground_truth}
        columns = {key: values for key, values in columns.items() if key in costs}
        seen = set()
        for shown in self.proposals:
            number, key = numbers[shown.canonical], (shown.canonical, shown.rung)
            records = [part.records[number] for part in self.results.evaluators]
            truth = {key: values[number] for key, values in columns.items()}
            yield make_step(self.header, shown, records, truth, repeated=key in seen)
            seen.add(key)

    @property
    def evaluations(self) -> int:
        """Number of proposals that were not refused, done or not."""
        return sum(step is None or not step.refused for step in self.steps)

    @property
    def history(self) -> SearchHistory:
        """Return the steps that have been done."""
        done = [step for step in itertools.takewhile(lambda step: step is not None, self.steps) if step is not None]
        return SearchHistory(
            header=self.header,
            steps=tuple(step for step in done if not step.refused),
            results=self.results,
            refused=tuple(step for step in done if step.refused),
        )


def read_search(path: Path) -> SearchHistory:
    """Read the file of a search, with its journal if the search is unfinished.

    Raises:
        ResultsFileError: It is missing, damaged, or was not made by a search. It is never changed.
    """
    return read_stored_search(path).history


def read_stored_search(path: Path) -> StoredSearch:
    """Read the file of a search as it is stored.

    Raises:
        ResultsFileError: As :func:`read_search`.
    """
    with open_results(path) as opened:
        if opened.origin.command != COMMAND:
            raise ResultsFileError(f"'{path}' was made by a run, not by a search. 'nasbench report {path}' shows it.")
        header, in_file = group.read_search(opened.file, opened.results)
        if header.search_id != opened.origin.work_id:
            raise ValueError("its search and its hash differ")
        if header.evaluators != tuple(part.header for part in opened.results.evaluators):
            raise ValueError("its evaluators are not those that its search names")
        proposals = with_journal(in_file, opened.journal.others)
        if not all(0 <= proposal.rung < len(header.rungs) for proposal in proposals):
            raise ValueError("it names fidelities that are not there")
        return StoredSearch(header, proposals, proposed_results(opened.results, proposals))


def proposed_results(results: Results, proposals: Sequence[Proposal]) -> Results:
    """Return the results of the architectures that were proposed.

    Raises:
        ValueError: They are others than those of the results.
    """
    proposed = tuple(dict.fromkeys(proposal.canonical for proposal in proposals))
    # A kill may come when an architecture has joined and its proposal is not on disk yet.
    unproposed = len(results.arch_ids) - len(proposed)
    if results.arch_ids[: len(proposed)] != proposed or unproposed not in (0, 1):
        raise ValueError("its architectures are not those that were proposed")
    return results.first(len(proposed)) if unproposed else results
