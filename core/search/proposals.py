"""How the journal of an unfinished search keeps the proposals of its strategy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..asktell.loop import Proposal
from ..errors import ResultsFileError
from ..results.journal import JournalLine

PROPOSAL = "proposal"


def proposal_to_json(index: int, proposal: Proposal) -> dict[str, Any]:
    """Return the ``index``-th proposal, counted from 0, as the entry of a journal's line."""
    return {
        "kind": PROPOSAL,
        "index": index,
        "text": proposal.text,
        "canonical": proposal.canonical,
        "rung": proposal.rung,
    }


def proposal_from_json(entry: Mapping[str, Any]) -> tuple[int, Proposal]:
    """Return what :func:`proposal_to_json` was given. Raises what ``JournalLine.decode`` catches if it is none."""
    proposal = Proposal(str(entry["text"]), str(entry["canonical"]), int(entry["rung"]))
    return int(entry["index"]), proposal


def with_journal(stored: Sequence[Proposal], lines: Iterable[JournalLine]) -> tuple[Proposal, ...]:
    """Return the proposals of a file and those that its journal adds.

    Raises:
        ResultsFileError: The journal has something else than proposals, or others than the file.
    """
    proposals = list(stored)
    for line in lines:
        if line.kind != PROPOSAL:
            raise ResultsFileError(f"'{line.path}' has a line of the unknown kind '{line.kind}' at {line.number}.")
        index, proposal = line.decode(proposal_from_json)
        if index == len(proposals):
            proposals.append(proposal)
        # A kill may leave in the journal what is in the file already.
        if not 0 <= index < len(proposals) or proposals[index] != proposal:
            raise ResultsFileError(f"'{line.path}' has another proposal {index} than the file beside it.")
    return tuple(proposals)
