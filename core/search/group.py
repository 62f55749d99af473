"""The group that a search adds to a results file: what searched for what, and all proposals of its strategy."""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np

from ..results.contents import Results
from ..results.elements.arrays import read_texts, read_whole_numbers, write_numbers, write_texts
from ..results.elements.encoding import (
    Encoding,
    as_json,
    read_json_list,
    read_json_object,
    read_json_texts,
    read_text,
    read_whole_number,
)
from .costs import Cost
from .history import SearchHeader
from .proposals import Proposal

ENCODING = Encoding("nasbench-search", 1)
NAME = "search"


def write_search(
    file: h5py.Group, header: SearchHeader, distribution: str, proposals: Sequence[Proposal], arch_ids: Sequence[str]
) -> h5py.Group:
    """Write a search.

    Args:
        file: A results file with the architectures that were proposed.
        header: What searched for what.
        distribution: Which distribution provides the strategy.
        proposals: In their order.
        arch_ids: The file's architectures.

    Returns:
        The group.
    """
    group = file.create_group(NAME)
    ENCODING.mark(group)
    group.attrs.update(
        strategy=header.strategy,
        strategy_settings=as_json(header.strategy_settings),
        distribution=distribution,
        parallel=header.parallel,
        costs=as_json([cost.as_json() for cost in header.costs]),
        lower_fidelities=as_json([evaluator.label for evaluator in header.lower]),
    )
    positions = {arch_id: position for position, arch_id in enumerate(arch_ids)}
    write_texts(group, "proposals", [proposal.text for proposal in proposals])
    write_numbers(group, "positions", np.array([positions[each.canonical] for each in proposals], np.int64))
    write_numbers(group, "rungs", np.array([proposal.rung for proposal in proposals], np.int64))
    return group


def write_regret(group: h5py.Group, metric_key: str, curve: Sequence[float | None]) -> None:
    """Write the regret after each evaluation, which follows from the rest, for readers that do not have the table."""
    regret = np.array([np.nan if value is None else value for value in curve], np.float64)
    write_numbers(group, "regret", regret).attrs["metric"] = metric_key


def read_search(file: h5py.Group, results: Results) -> tuple[SearchHeader, tuple[Proposal, ...]]:
    """Return what :func:`write_search` was given; ``results`` are those of the file."""
    ENCODING.check(file[NAME])
    return _read_header(file[NAME], results), _read_proposals(file[NAME], results.arch_ids)


def _read_header(group: h5py.Group, results: Results) -> SearchHeader:
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
        lower=tuple(labels[label] for label in read_json_texts(attrs, "lower_fidelities")),
    )


def _read_proposals(group: h5py.Group, arch_ids: Sequence[str]) -> tuple[Proposal, ...]:
    texts = read_texts(group["proposals"])
    positions = read_whole_numbers(group["positions"], len(texts))
    rungs = read_whole_numbers(group["rungs"], len(texts))
    if not all(0 <= position < len(arch_ids) for position in positions):
        raise ValueError(f"'{group['positions'].name}' names architectures that are not there")
    named = [arch_ids[position] for position in positions]
    return tuple(map(Proposal, texts, named, rungs))
