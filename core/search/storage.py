"""Reads the file of a search, which may come from anywhere: a results file with the proposals in a group ``search``.

The architectures are those proposed, in the order of their first proposal. Steps are not stored: they are the leading
proposals whose architectures have the records that they need.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from ..asktell import loop
from ..errors import ResultsFileError
from ..results.contents import Results
from ..results.journal import JournalContents, Proposal
from ..results.reader import load, read_json_object, read_results_and, read_text, read_texts
from .costs import Cost
from .history import SearchHeader, SearchHistory, Step, make_step


@dataclass(frozen=True)
class StoredSearch:
    """What the file of a search and its journal hold.

    Attributes:
        header: What searched for what.
        proposals: What the strategy proposed, in its order; ``ground_truth`` is left out.
        results: The proposed architectures.
        exhausted: Whether the search ended by itself, as in :class:`SearchHistory`.
    """

    header: SearchHeader
    proposals: Sequence[Proposal]
    results: Results
    exhausted: bool

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
            number, key = numbers[shown.arch_id], (shown.arch_id, shown.rung)
            records = [part.records[number] for part in self.results.evaluators]
            truth = {key: values[number] for key, values in columns.items()}
            proposal = loop.Proposal(shown.architecture, shown.arch_id, shown.rung)
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
    results, (header, proposals, exhausted) = read_results_and(path, lambda *parts: _read_search_group(path, *parts))
    return StoredSearch(header, proposals, results, exhausted)


def _read_search_group(
    path: Path, file: h5py.File, results: Results, journal: JournalContents
) -> tuple[SearchHeader, tuple[Proposal, ...], bool]:
    if results.search_id is None:
        raise ResultsFileError(f"'{path}' was made by a run, not by a search. 'nasbench report {path}' shows it.")
    header = _read_header(file["search"].attrs, results)
    if header.search_id != results.search_id:
        raise ValueError("its search and its hash differ")
    if header.evaluators != tuple(part.header for part in results.evaluators):
        raise ValueError("its evaluators are not those that its search names")
    proposals = _read_proposals(file["search"], header, results.arch_ids, journal)
    if tuple(proposal.arch_id for proposal in proposals if proposal.is_new) != results.arch_ids:
        raise ValueError("its architectures are not those that were proposed")
    return header, proposals, bool(file["search"].attrs["exhausted"])


def _read_header(attrs: Mapping[str, Any], results: Results) -> SearchHeader:
    labels = {part.header.label: part.header for part in results.evaluators}
    costs = json.loads(read_text(attrs.get("costs", "[]")))
    lower = json.loads(read_text(attrs.get("lower_fidelities", "[]")))
    return SearchHeader(
        space=results.plan.space,
        dataset=results.plan.dataset,
        evaluator=results.evaluators[0].header,
        strategy=read_text(attrs["strategy"]),
        strategy_settings=read_json_object(attrs["strategy_settings"]),
        seed=results.plan.seed,
        parallel=int(attrs["parallel"]),
        costs=tuple(Cost.from_json(entry, results) for entry in costs),
        lower=tuple(labels[label] for label in lower),
    )


def _read_proposals(
    group: h5py.Group, header: SearchHeader, arch_ids: Sequence[str], journal: JournalContents
) -> tuple[Proposal, ...]:
    texts = read_texts(group["proposals"])
    numbers = _read_whole_numbers(group["positions"], len(texts))
    if not all(0 <= number < len(arch_ids) for number in numbers):
        raise ValueError(f"'{group['positions'].name}' names architectures that are not there")
    rungs = _read_whole_numbers(group["rungs"], len(texts)) if header.lower else [0] * len(texts)
    named = [arch_ids[number] for number in numbers]
    proposals = list(zip(texts, named, rungs, strict=True))
    for index, proposal in sorted(journal.proposals.items(), key=lambda numbered: numbered[0]):
        shown = (proposal.architecture, proposal.arch_id, proposal.rung)
        if index == len(proposals):
            proposals.append(shown)
        # A kill may leave in the journal what is in the file already.
        if not 0 <= index < len(proposals) or proposals[index] != shown:
            raise ValueError(f"its journal has another proposal {index}")
    if not all(0 <= rung < len(header.rungs) for _, _, rung in proposals):
        raise ValueError("it names fidelities that are not there")
    return _marked(proposals)


def _read_whole_numbers(dataset: h5py.Dataset, count: int) -> list[int]:
    if dataset.shape != (count,) or dataset.dtype.kind != "i":
        raise ValueError(f"'{dataset.name}' must hold {count} whole numbers")
    numbers: list[int] = load(dataset).tolist()
    return numbers


def _marked(proposals: Sequence[tuple[str, str, int]]) -> tuple[Proposal, ...]:
    """Tell first proposals of an architecture from repeated ones."""
    seen: set[str] = set()
    marked = []
    for architecture, arch_id, rung in proposals:
        marked.append(Proposal(architecture, arch_id, is_new=arch_id not in seen, rung=rung))
        seen.add(arch_id)
    return tuple(marked)
