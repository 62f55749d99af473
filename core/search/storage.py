"""Reads the file of a search, which may come from anywhere: a results file with the proposals in a group ``search``.

The architectures are those proposed, in the order of their first proposal. Steps are not stored: they are the leading
proposals whose architectures have a record.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from ..domain import Status
from ..errors import ResultsFileError
from ..results.contents import Results
from ..results.journal import JournalContents, Proposal
from ..results.reader import load, read_json_object, read_results_and, read_text, read_texts
from .history import SearchHeader, SearchHistory, Step


@dataclass(frozen=True)
class StoredSearch:
    """What the file of a search and its journal hold.

    Attributes:
        header: What searched for what.
        proposals: What the strategy proposed, in its order; ``ground_truth`` is left out.
        results: The proposed architectures.
    """

    header: SearchHeader
    proposals: Sequence[Proposal]
    results: Results

    @property
    def history(self) -> SearchHistory:
        """Return the steps that have been done."""
        (part,) = self.results.evaluators
        records = dict(zip(self.results.arch_ids, part.records, strict=True))
        done = itertools.takewhile(lambda shown: records[shown.arch_id].status is not Status.PENDING, self.proposals)
        steps = [
            Step.of(
                shown.architecture, shown.arch_id, records[shown.arch_id], repeated=not shown.is_new,
                direction=part.header.direction,
            )
            for shown in done
        ]  # fmt: skip
        return SearchHistory(self.header, tuple(steps), self.results)


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
    results, (header, proposals) = read_results_and(path, lambda *parts: _read_search_group(path, *parts))
    return StoredSearch(header, proposals, results)


def _read_search_group(
    path: Path, file: h5py.File, results: Results, journal: JournalContents
) -> tuple[SearchHeader, tuple[Proposal, ...]]:
    if results.search_id is None:
        raise ResultsFileError(f"'{path}' was made by a run, not by a search. 'nasbench report {path}' shows it.")
    if len(results.evaluators) != 1:
        raise ValueError(f"a search has one evaluator, this file has {len(results.evaluators)}")
    header = _read_header(file["search"].attrs, results)
    if header.search_id != results.search_id:
        raise ValueError("its search and its hash differ")
    proposals = _read_proposals(file["search"], results.arch_ids, journal)
    if tuple(proposal.arch_id for proposal in proposals if proposal.is_new) != results.arch_ids:
        raise ValueError("its architectures are not those that were proposed")
    return header, proposals


def _read_header(attrs: Mapping[str, Any], results: Results) -> SearchHeader:
    return SearchHeader(
        space=results.plan.space,
        dataset=results.plan.dataset,
        evaluator=results.evaluators[0].header,
        strategy=read_text(attrs["strategy"]),
        strategy_settings=read_json_object(attrs["strategy_settings"]),
        seed=results.plan.seed,
        parallel=int(attrs["parallel"]),
    )


def _read_proposals(group: h5py.Group, arch_ids: Sequence[str], journal: JournalContents) -> tuple[Proposal, ...]:
    texts = read_texts(group["proposals"])
    positions = group["positions"]
    if positions.shape != (len(texts),) or positions.dtype.kind != "i":
        raise ValueError(f"'{positions.name}' must hold {len(texts)} whole numbers")
    numbers: list[int] = load(positions).tolist()
    if not all(0 <= number < len(arch_ids) for number in numbers):
        raise ValueError(f"'{positions.name}' names architectures that are not there")
    proposals = [(text, arch_ids[number]) for text, number in zip(texts, numbers, strict=True)]
    for index, proposal in sorted(journal.proposals.items(), key=lambda numbered: numbered[0]):
        shown = (proposal.architecture, proposal.arch_id)
        if index == len(proposals):
            proposals.append(shown)
        # A kill may leave in the journal what is in the file already.
        if not 0 <= index < len(proposals) or proposals[index] != shown:
            raise ValueError(f"its journal has another proposal {index}")
    return _marked(proposals)


def _marked(proposals: Sequence[tuple[str, str]]) -> tuple[Proposal, ...]:
    """Tell first proposals of an architecture from repeated ones."""
    seen: set[str] = set()
    marked = []
    for architecture, arch_id in proposals:
        marked.append(Proposal(architecture, arch_id, is_new=arch_id not in seen))
        seen.add(arch_id)
    return tuple(marked)
