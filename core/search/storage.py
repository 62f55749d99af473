"""Reads the file of a search, which may come from anywhere: a results file with the proposals in a group ``search``."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..errors import ResultsFileError
from ..results.store import open_results
from .group import NAME, read_search_group
from .history import SearchHistory
from .stored import StoredSearch
from .trajectory import NAME as SUPERNET

COMMAND = "search"
"""The command that the file of a search says it was made by."""


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
    with open_results(path, NAME, SUPERNET) as opened:
        if opened.origin.command != COMMAND:
            raise ResultsFileError(
                f"'{path}' was made by a run, not by a search. 'nasbench report {shlex.quote(str(path))}' shows it."
            )
        stored = read_search_group(opened.file, opened.results, opened.journal.others)
        if stored.header.search_id != opened.origin.work_id:
            raise ValueError("its search and its hash differ")
        return stored
