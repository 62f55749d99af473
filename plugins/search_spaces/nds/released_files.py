"""Whether a file is one of the search space that it is imported for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ....benchmarks_data.tables.raw import RawTable
from ....core.errors import DataError
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


def refuse_other_sizes(path: Path, raw: RawTable, arch_ids: Sequence[str], space: SearchSpace) -> None:
    """Where a space has one width and depth, expect records of one, whichever it is.

    Raises:
        DataError: A record has another size than the first one.
    """
    if not isinstance(space, CellSpace) or len(space.definition.widths) * len(space.definition.depths) > 1:
        return
    sizes = [arch_id.partition("/")[0] for arch_id in arch_ids]
    other = next((row for row, size in enumerate(sizes) if size != sizes[0]), None)
    if other is not None:
        raise DataError(
            f"'{path}', {raw.row_name(other)}: width and depth are {sizes[other]}, those of {raw.row_name(0)} "
            f"{sizes[0]}, and '{space.name}' has one size. Import the file for the space of all sizes."
        )


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
