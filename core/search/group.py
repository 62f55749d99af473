"""The group that a search adds to a results file: what searched for what, and all proposals of its strategy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import h5py
import numpy as np

from ..asktell.loop import Proposal
from ..hdf5.stored import StoredGroup
from ..hdf5.writing import create_group, write_attributes
from ..results.contents import Results
from ..results.elements.arrays import read_texts, read_whole_numbers, write_numbers, write_texts
from ..results.elements.encoding import (
    Encoding,
    as_json,
    read_flag,
    read_json_list,
    read_json_object,
    read_json_texts,
    read_text,
    read_whole_number,
)
from ..results.journal import JournalLine
from .costs import Cost
from .history import SearchHeader
from .proposals import with_journal
from .stored import StoredSearch, proposed_results
from .trajectory import EPOCH, read_trajectory

ENCODING = Encoding("nasbench-search", 1)
NAME = "search"


def write_search_group(file: h5py.Group, search: StoredSearch) -> h5py.Group:
    """Write a search, and return its group.

    Args:
        file: A results file with the results of the search.
        search: The search.
    """
    header, proposals = search.header, search.proposals
    group = create_group(file, NAME)
    ENCODING.mark(group)
    write_attributes(
        group,
        strategy=header.strategy,
        strategy_settings=as_json(header.strategy_settings),
        distribution=header.versions[2],
        parallel=header.parallel,
        costs=as_json([cost.as_json() for cost in header.costs]),
        lower_fidelities=as_json([evaluator.label for evaluator in header.lower]),
        exhausted=search.exhausted,
    )
    positions = {arch_id: position for position, arch_id in enumerate(search.results.arch_ids)}
    write_texts(group, "proposals", [proposal.text for proposal in proposals])
    write_numbers(group, "positions", np.array([positions[each.canonical] for each in proposals], np.int64))
    write_numbers(group, "rungs", np.array([proposal.rung for proposal in proposals], np.int64))
    return group


def read_search_group(file: StoredGroup, results: Results, journal: Iterable[JournalLine]) -> StoredSearch:
    """Return what :func:`write_search_group` was given, and what has come since.

    Args:
        file: The results file of a search.
        results: Its results, with those of its journal.
        journal: What else the journal says.
    """
    group = file.group(NAME)
    ENCODING.check(group)
    header = _read_header(group, results)
    if header.evaluators != tuple(part.header for part in results.evaluators):
        raise ValueError("its evaluators are not those that its search names")
    lines = list(journal)
    proposals = with_journal(_read_proposals(group, results.arch_ids), [line for line in lines if line.kind != EPOCH])
    if not all(0 <= proposal.rung < len(header.rungs) for proposal in proposals):
        raise ValueError("it names fidelities that are not there")
    trajectory = read_trajectory(
        file, [proposal.text for proposal in proposals], [line for line in lines if line.kind == EPOCH]
    )
    proposed = proposed_results(results, proposals)
    return StoredSearch(header, proposals, proposed, read_flag(group.attrs, "exhausted"), trajectory)


def write_regret(group: h5py.Group, metric_key: str, curve: Sequence[float | None]) -> None:
    """Write the regret after each evaluation, which follows from the rest, for readers that do not have the table."""
    regret = np.array([np.nan if value is None else value for value in curve], np.float64)
    write_attributes(write_numbers(group, "regret", regret), metric=metric_key)


def _read_header(group: StoredGroup, results: Results) -> SearchHeader:
    attrs = group.attrs
    labels = {part.header.label: part.header for part in results.evaluators}
    return SearchHeader(
        space=results.plan.space,
        dataset=results.plan.dataset,
        evaluator=results.evaluators[0].header,
        strategy=read_text(attrs, "strategy"),
        strategy_settings=read_json_object(attrs, "strategy_settings"),
        seed=results.plan.seed,
        parallel=read_whole_number(attrs, "parallel"),
        costs=tuple(Cost.from_json(entry, results) for entry in read_json_list(attrs, "costs")),
        versions=(results.plan.space_version, results.plan.dataset_version, read_text(attrs, "distribution")),
        lower=tuple(labels[label] for label in read_json_texts(attrs, "lower_fidelities")),
    )


def _read_proposals(group: StoredGroup, arch_ids: Sequence[str]) -> tuple[Proposal, ...]:
    texts = read_texts(group.array("proposals"))
    positions = read_whole_numbers(group.array("positions"), len(texts))
    rungs = read_whole_numbers(group.array("rungs"), len(texts))
    if not all(0 <= position < len(arch_ids) for position in positions):
        raise ValueError(f"'{group.name}/positions' names architectures that are not there")
    named = [arch_ids[position] for position in positions]
    return tuple(map(Proposal, texts, named, rungs))
