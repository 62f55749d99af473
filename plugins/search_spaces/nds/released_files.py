"""Whether a file is one of the search space that it is imported for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from ....benchmarks_data.tables.raw import RawTable
from ....core.errors import DataError, InvalidArchitectureError
from ....core.interfaces import SearchSpace
from .descriptions import RELEASED
from .space import CellSpace

MANY_RECORDS = 50
"""Records of a space that have all its operations between them, but for a chance of 13 * (12 / 13)**1000 at most."""


def refuse_file_of_another_space(path: Path, space: str) -> None:
    """Compare a file's name with those of the release.

    Raises:
        DataError: It is released for another search space.
    """
    name = path.name.removesuffix(".gz").removesuffix(".json")
    owner = next((known for known, names in RELEASED.items() if name in names), space)
    if owner != space:
        raise DataError(
            f"'{path}' is, by its name, the file of '{owner}', and is imported for '{space}'. Import it with 'nasbench "
            f"data import {owner}', or give it another name."
        )


def leave_out_other_sizes(raw: RawTable, space: SearchSpace) -> RawTable:
    """Where a space has one width and depth, expect records of one, that of most of them; others become problems."""
    if not isinstance(space, CellSpace) or len(space.definition.widths) * len(space.definition.depths) > 1:
        return raw
    sizes = [_size_of(text, space) for text in raw.architectures]
    known = Counter(filter(None, sizes))
    if len(known) < 2:
        return raw
    ((usual, _),) = known.most_common(1)
    problems = [
        f"{raw.row_name(row)}: width and depth are {size}, those of most records {usual}, and '{space.name}' has one "
        "size: is the file of the space of all sizes?"
        for row, size in enumerate(sizes)
        if size not in ("", usual)
    ]
    kept = raw.keep([row for row, size in enumerate(sizes) if size in ("", usual)])
    return replace(kept, problems=(*raw.problems, *problems))


def _size_of(text: str, space: SearchSpace) -> str:
    """Return width and depth, empty for what is no architecture, which is refused elsewhere."""
    try:
        return space.canonicalize(text).partition("/")[0]
    except InvalidArchitectureError:
        return ""


def name_unused_operations(raw: RawTable, space: SearchSpace) -> RawTable:
    """Add a note if no record has some of the space's operations: cells of a smaller space fit into a larger one."""
    if not isinstance(space, CellSpace) or len(raw.architectures) < MANY_RECORDS:
        return raw
    texts = "".join(raw.architectures)
    unused = [
        operation.name
        for operation in space.definition.operations
        if json.dumps(operation.release_name) not in texts and f"{operation.name}~" not in texts
    ]
    if not unused:
        return raw
    note = f"No record has {' or '.join(unused)}, operations of '{space.name}': is it a file of another space?"
    return replace(raw, notes=(*raw.notes, note))
