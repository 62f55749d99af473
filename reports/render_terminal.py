"""Correlation table for the terminal, in ASCII."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence

from rich.box import Box
from rich.console import Console
from rich.table import Table

from . import wording
from .correlation import CorrelationTable

WIDTH = 80
"""Columns of text unless the terminal is known to have another number."""

_RULE_UNDER_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)

_LONG_LABEL = 15
"""What remains for a label on 80 columns; a longer one continues on the next line after the name."""

_MATRIX_COLUMNS = 8
"""Columns of the matrix of agreements that fit on 80 columns beside the labels."""


def render_terminal(table: CorrelationTable, *, pairwise: bool = False, width: int = WIDTH, color: bool = False) -> str:
    """Render tables and notes as text.

    Args:
        table: What to render.
        pairwise: Whether to add the agreements between evaluators; without a ground truth they always follow.
        width: Columns of text.
        color: Whether to add control codes for bold headings, for a terminal only.
    """
    parts = [_fill(wording.title(table), width), _print_table(_correlations(table), width, color)]
    if wording.shows_pairwise(table, pairwise):
        parts.append(wording.PAIRWISE_TITLE)
        parts.extend(_print_table(matrix, width, color) for matrix in _matrices(table))
    parts.append("\n".join(_fill(note, width) for note in wording.notes(table)))
    return "\n\n".join(parts) + "\n"


def render_grid(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str], width: int, color: bool
) -> str:
    """Render one table, whose first column names evaluators, between a title and notes."""
    grid = _empty_table()
    for heading in headings[1:]:
        grid.add_column(heading, justify="left" if heading in wording.CORRELATION_HEADINGS else "right", no_wrap=True)
    for label, *values in rows:
        grid.add_row(_break_label(label), *values)
    parts = [_fill(title, width), _print_table(grid, width, color), "\n".join(_fill(note, width) for note in notes)]
    return "\n\n".join(parts) + "\n"


def _fill(text: str, width: int) -> str:
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False)


def _empty_table() -> Table:
    table = Table(box=_RULE_UNDER_HEAD, show_edge=False, padding=0, pad_edge=False)
    table.add_column("Evaluator", overflow="fold")
    return table


def _correlations(table: CorrelationTable) -> Table:
    """Lay out the main table: labels and reasons may wrap, numbers may not."""
    rows = [wording.cells(row, table) for row in table.rows]
    grid = _empty_table()
    for position, heading in enumerate(wording.headings(table)[1:], start=1):
        if heading in wording.CORRELATION_HEADINGS:
            grid.add_column(heading, min_width=_widest_number(heading, [row[position] for row in rows]))
        else:
            grid.add_column(heading, justify="right", no_wrap=True)
    for label, *values in rows:
        grid.add_row(_break_label(label), *values)
    return grid


def _widest_number(heading: str, values: list[str]) -> int:
    return max(len(text) for text in [heading, *values] if not text.startswith(wording.UNDEFINED))


def _matrices(table: CorrelationTable) -> list[Table]:
    """Lay out the agreements, in several tables where one would be too wide."""
    columns, rows = wording.pairwise_headings(table), wording.pairwise_cells(table)
    grids = []
    for start in range(1, len(columns), _MATRIX_COLUMNS):
        shown = slice(start, start + _MATRIX_COLUMNS)
        grid = _empty_table()
        for heading in columns[shown]:
            grid.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            grid.add_row(_break_label(row[0]), *row[shown])
        grids.append(grid)
    return grids


def _break_label(label: str) -> str:
    return label.replace(":", ":\n", 1) if len(label) > _LONG_LABEL else label


def _print_table(grid: Table, width: int, color: bool) -> str:
    """Print into a text that depends on nothing but the arguments, without spaces at the ends of lines."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(grid)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
