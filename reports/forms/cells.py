"""The cells that a page shows beside an architecture's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...core.errors import NasbenchError
from ...core.pictures.cell_markup import cell_markup
from ...core.plugin_manager import installed_plugins

LARGEST_SHOWN = 120
"""Architectures whose cells a page holds at most, so that it stays small: each takes some kilobytes."""

LARGEST_MARKUP = 600_000
"""Characters that they take together at most."""


@dataclass(frozen=True)
class DrawnCells:
    """Cells as SVG elements.

    Attributes:
        markup: By architecture.
        note: Which are missing and why, empty if none is.
    """

    markup: dict[str, str] = field(default_factory=dict)
    note: str = ""


def draw_cells_of(space: str, arch_ids: Sequence[str]) -> DrawnCells:
    """Draw the first architectures, as many as a page has room for."""
    provided = installed_plugins().search_spaces().get(space)
    if provided is None:
        return DrawnCells(note=f"Cells are not shown: the search space '{space}' is not installed here.")
    drawn, size = dict[str, str](), 0
    try:
        created = provided.info.create()
        for arch_id in arch_ids[:LARGEST_SHOWN]:
            graphs = created.cell_graphs(arch_id)
            if not graphs:
                return DrawnCells(note=f"Cells are not shown: the search space '{space}' draws none.")
            drawn[arch_id] = cell_markup(graphs)
            size += len(drawn[arch_id])
            if size > LARGEST_MARKUP:
                break
    except NasbenchError as error:
        # Tables and charts are right without them.
        return DrawnCells(note=f"Cells are not shown: {error}")
    shown, total = len(drawn), len(arch_ids)
    few = (
        f"So that this page stays small, the cells of {shown:,} of {total:,} architectures are in it, the most "
        "misjudged and the best ones."
    )
    return DrawnCells(drawn, few if shown < total else "")
