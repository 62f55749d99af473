"""A search as its file holds it: proposals and results, of which its steps are made.

The architectures are those proposed, in the order of their first proposal. Steps are not stored: they are the leading
proposals whose architectures have the records that they need.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..asktell.loop import Proposal
from ..results.contents import Results
from .history import SearchHeader, SearchHistory, Step, make_step
from .trajectory import Trajectory


@dataclass(frozen=True)
class StoredSearch:
    """What the file of a search and its journal hold.

    Attributes:
        header: What searched for what.
        proposals: What the strategy proposed, in its order.
        results: The proposed architectures.
        exhausted: Whether the search ended by itself, as in :class:`SearchHistory`.
        trajectory: As in :class:`SearchHistory`.
    """

    header: SearchHeader
    proposals: Sequence[Proposal]
    results: Results
    exhausted: bool
    trajectory: Trajectory | None = None

    @property
    def steps(self) -> Iterator[Step | None]:
        """Give the step of every proposal, None where it has not been done."""
        numbers = {arch_id: number for number, arch_id in enumerate(self.results.arch_ids)}
        # Only costs are looked at; a table may have many columns, and a search many steps.
        costs = {cost.name for cost in self.header.costs if cost.metric}
        columns = {column.metric.key: column.values for column in self.results.ground_truth}
        columns = {key: values for key, values in columns.items() if key in costs}
        seen = set()
        for proposal in self.proposals:
            number, key = numbers[proposal.canonical], (proposal.canonical, proposal.rung)
            records = [part.records[number] for part in self.results.evaluators]
            truth = {key: values[number] for key, values in columns.items()}
            yield make_step(self.header, proposal, records, truth, repeated=key in seen)
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
            exhausted=self.exhausted,
            trajectory=self.trajectory,
        )


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
